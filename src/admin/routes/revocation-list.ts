import type { FastifyInstance } from 'fastify';
import type { AdminDesk } from '../desk.ts';
import { addRoute } from './routes.ts';

/** Where the revocation list is: certificates of the local CA name it, so that it can't change. */
export const REVOCATION_LIST_PATH = '/ca.crl';

/** Half a week of the list is left at least; and when the CA is made anew, its list should not be the old one's for long. */
const MAX_AGE_SECONDS = 3600;

/** The local CA's revocation list, DER (RFC 5280 §5); `null` while there is none. */
export function addRevocationList(server: FastifyInstance, desk: Pick<AdminDesk, 'revocationList'>): void {
  addRoute(server, REVOCATION_LIST_PATH, {
    GET: async (_request, reply) => {
      const list = await desk.revocationList();
      if (list === null) return reply.code(404).send({ error: 'no-revocation-list' });
      return reply
        .type('application/pkix-crl')
        .header('cache-control', `max-age=${MAX_AGE_SECONDS}`)
        .send(Buffer.from(list, 'base64'));
    },
  });
}
