import { join } from 'node:path';
import type { Peer } from './peer.ts';

/** As their documentation sets them up: without an access log, which none of them has unless it is written. */
function nodePeer(name: string, script: string, http: number, https: number): Peer {
  const file = join(import.meta.dirname, 'node', script);
  return {
    name,
    needs: [],
    version: null,
    http,
    https,
    http2: false,
    cached: null,
    cachedSecure: null,
    crowded: false,
    command: ({ originPort, certificate, key }) => ({
      name,
      argv: [process.execPath, file, String(originPort), String(http), String(https), certificate, key],
      port: http,
      core: 'proxy',
    }),
  };
}

export const httpProxy = nodePeer('http-proxy', 'http-proxy.ts', 7151, 7152);

export const fastifyHttpProxy = nodePeer('@fastify/http-proxy', 'fastify-http-proxy.ts', 7161, 7162);

/** No cache, but what a cache hit is measured by. */
export const fastifyHello: Peer = {
  ...nodePeer('fastify-hello', 'fastify-hello.ts', 7171, 0),
  http: null,
  https: null,
  cached: 7171,
};
