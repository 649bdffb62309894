import { isDeepStrictEqual } from 'node:util';
import type { Case } from './case.ts';
import type { Observation, Sight } from './observation.ts';
import type { Finding } from './run.ts';

/** Something that two variants are meant to do differently. */
export interface KnownDifference {
  readonly what: string;
  readonly why: string;
  readonly variant: 'lane' | 'lean';
  /** Is this all that the two runs show? */
  explains(reference: Observation, other: Observation): boolean;
  /** Cases that show it: it is taken off this list when they no longer do. */
  readonly examples: readonly Case[];
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    what: 'the head of an upload whose body has not come',
    why:
      'undici sends heads together with the first bytes of the body. Where these wait, we write the head in its place (early-head.ts), with the ' +
      'names and the order that we gave it; the lean transport writes one head, as undici writes it otherwise.',
    variant: 'lean',
    explains: (reference, other) =>
      isDeepStrictEqual(
        { ...reference, origin: reference.origin.map((sights) => sights.map(inOrder)) },
        { ...other, origin: other.origin.map((sights) => sights.map(inOrder)) },
      ),
    examples: [
      { client: [{ send: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n' }, { send: 'abc' }], origin: [] },
    ],
  },
];

/** Lines of heads in the order of the alphabet, framing and connection in lower case: what means the same is the same. */
function inOrder({ round, kind, text }: Sight): Sight {
  const heads = text.replace(/[A-Z]+ \S+ HTTP\/1\.1\r\n(?:[^\r\n]+\r\n)+/g, (head) => {
    const [line = '', ...fields] = head.split('\r\n');
    const lower = fields.map((field) =>
      field.replace(/^(?:host|connection|content-length|transfer-encoding):/i, (name) => name.toLowerCase()),
    );
    return [line, ...lower.sort()].join('\r\n');
  });
  return { round, kind, text: heads };
}

export function explained({ reference, other }: Finding): boolean {
  return KNOWN_DIFFERENCES.some((known) => known.explains(reference, other));
}
