import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ControlRefusal, ControlResult } from '../../control/control.ts';
import type { AdminDesk } from '../desk.ts';
import { handOf } from '../hand.ts';
import { addRoute } from './routes.ts';

/** The part of the desk that this needs. */
type EndpointDesk = Pick<AdminDesk, 'drain' | 'disable' | 'enable' | 'setWeight'>;

/** What an endpoint of a pool is to do: `POST …/drain`, `…/disable`, `…/enable`, `PUT …/weight`. */
export function addEndpoints(server: FastifyInstance, desk: EndpointDesk): void {
  const at = '/pools/:pool/endpoints/:endpoint';
  for (const deed of ['drain', 'disable', 'enable'] as const) {
    addRoute(server, `${at}/${deed}`, {
      POST: async (request, reply) => {
        const alien = alienKey(request.body, []);
        if (alien !== null) return badBody(reply, alien);
        const { pool, endpoint } = request.params as Named;
        return answer(reply, await desk[deed](pool, endpoint, handOf(request)));
      },
    });
  }
  addRoute(server, `${at}/weight`, {
    PUT: async (request, reply) => {
      const alien = alienKey(request.body, ['weight']);
      if (alien !== null) return badBody(reply, alien);
      const { weight } = (request.body ?? {}) as { readonly weight?: unknown };
      if (weight !== null && typeof weight !== 'number') {
        return badBody(reply, 'Send {"weight": 5}, or {"weight": null} for that of the configuration');
      }
      const { pool, endpoint } = request.params as Named;
      return answer(reply, await desk.setWeight(pool, endpoint, weight, handOf(request)));
    },
  });
}

/** Segments of the path, decoded. */
interface Named {
  readonly pool: string;
  readonly endpoint: string;
}

const STATUS_OF: Readonly<Record<ControlRefusal, number>> = {
  'unknown-pool': 404,
  'unknown-endpoint': 404,
  'ambiguous-endpoint': 409,
  'weight-out-of-range': 400,
};

function answer(reply: FastifyReply, result: ControlResult): FastifyReply {
  if (result.ok) return reply.send({ ...result.state, changed: result.changed });
  return reply.code(STATUS_OF[result.reason]).send({ error: result.reason, message: result.message });
}

function badBody(reply: FastifyReply, message: string): FastifyReply {
  return reply.code(400).send({ error: 'bad-request', message });
}

/** What is wrong with the keys of a body, which is an object or not there; `null` for nothing. */
function alienKey(body: unknown, known: readonly string[]): string | null {
  const alien = Object.keys(body ?? {}).find((key) => !known.includes(key));
  return alien === undefined ? null : `“${alien}” means nothing here`;
}
