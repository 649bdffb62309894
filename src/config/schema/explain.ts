import { z } from 'zod';
import { cidr, oneOrMore } from './units.ts';

/** Who may ask for an explanation with the response. */
export const explain = z.strictObject({
  from: oneOrMore(cidr).describe(
    'Client addresses or networks whose requests with “X-Headgate-Explain: 1” get X-Headgate-Explanation (docs/explain.md)',
  ),
});
