/** A bare Fastify that answers 1 KiB to everything: what a reply costs when nothing is decided. */
import { fastify } from 'fastify';

const [, port] = process.argv.slice(2);
const body = 'x'.repeat(1024);

const server = fastify();
server.get('/*', (_request, reply) => {
  reply.header('Cache-Control', 'max-age=600').type('text/plain').send(body);
});
await server.listen({ host: '127.0.0.1', port: Number(port) });
