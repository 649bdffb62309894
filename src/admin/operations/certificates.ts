import { type Operation, ok } from '../operation.ts';
import { component, listOf } from '../schema.ts';

/** Where the revocation list is: certificates of the local CA name it, so that it can't change. */
export const REVOCATION_LIST_PATH = '/ca.crl';

/** Half a week of the list is left at least; and when the CA is made anew, its list should not be the old one's for long. */
const MAX_AGE_SECONDS = 3600;

export const certificateOperations: readonly Operation[] = [
  {
    id: 'certificates',
    method: 'GET',
    path: '/certificates',
    access: 'reading',
    summary: 'All certificates: names, validity, renewal, and what is wrong with them',
    tag: 'certificates',
    answers: { 200: { description: 'In the order of the configuration', schema: listOf(component('Certificate')) } },
    run: async ({ desk }) => ok((await desk.status()).certificates),
  },
  {
    id: 'revocationList',
    method: 'GET',
    path: REVOCATION_LIST_PATH,
    access: 'open',
    summary: 'The local CA’s revocation list (RFC 5280 §5)',
    tag: 'certificates',
    answers: { 200: { description: 'DER', type: 'application/pkix-crl' } },
    refusals: { 404: 'No listener uses a CA that Headgate made' },
    run: async ({ desk }) => {
      const list = await desk.revocationList();
      if (list === null) return { status: 404, error: 'no-revocation-list', message: 'There is no local CA' };
      return {
        status: 200,
        type: 'application/pkix-crl',
        headers: { 'cache-control': `max-age=${MAX_AGE_SECONDS}` },
        body: Buffer.from(list, 'base64'),
      };
    },
  },
];
