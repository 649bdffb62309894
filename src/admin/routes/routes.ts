import type { FastifyInstance, RouteHandlerMethod } from 'fastify';

type Method = 'GET' | 'POST' | 'PUT';

/** GET brings HEAD. */
const EVERY_METHOD = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** One path of the admin listener: these methods, and 405 with `Allow` (RFC 9110 §15.5.6) for all others that are known. */
export function addRoute(
  server: FastifyInstance,
  url: string,
  handlers: { readonly [M in Method]?: RouteHandlerMethod },
): void {
  const taken = Object.keys(handlers).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  for (const [method, handler] of Object.entries(handlers)) {
    server.route({ method: method === 'GET' ? ['GET', 'HEAD'] : method, url, handler });
  }
  server.route({
    method: EVERY_METHOD.filter((method) => !taken.includes(method)),
    url,
    handler: async (_request, reply) =>
      reply
        .code(405)
        .header('allow', taken.join(', '))
        .send({ error: 'method-not-allowed', message: `Here is ${taken.join(', ')} only` }),
  });
}
