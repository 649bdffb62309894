/** @fastify/http-proxy 11 in front of the origin, as its documentation sets it up. */
import { readFileSync } from 'node:fs';
import fastifyHttpProxy from '@fastify/http-proxy';
import { fastify } from 'fastify';

const [origin, port, securePort, certificate, key] = process.argv.slice(2) as [string, string, string, string, string];
const upstream = { upstream: `http://127.0.0.1:${origin}`, undici: { connections: 256, pipelining: 1 } };

const plain = fastify();
await plain.register(fastifyHttpProxy, upstream);
await plain.listen({ host: '127.0.0.1', port: Number(port) });

const secure = fastify({ https: { cert: readFileSync(certificate), key: readFileSync(key) } });
await secure.register(fastifyHttpProxy, upstream);
await secure.listen({ host: '127.0.0.1', port: Number(securePort) });
