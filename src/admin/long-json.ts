import { inSlices } from '../control/slices.ts';
import type { Answer } from './operation.ts';

/** Items in one turn of the event loop, a few KB each at most. */
const SLICE = 64;

/**
 * An answer that may be megabytes long: a list, or an object of lists and maps, with thousands of items. It is made in many turns of
 * the event loop, and sent as fast as the client takes it.
 */
export async function longJson(value: object): Promise<Answer> {
  const tokens = tokensOf(value, 2);
  const pieces: string[] = [];
  await inSlices(() => {
    let piece = '';
    for (let i = 0; i < SLICE; i += 1) {
      const token = tokens.next();
      if (token.done === true) {
        pieces.push(piece);
        return 'done';
      }
      piece += token.value;
    }
    pieces.push(piece);
    return 'more';
  });
  return { status: 200, type: 'application/json; charset=utf-8', body: null, pieces };
}

/** The JSON of a value: what is in it, so deep, one by one. */
function* tokensOf(value: unknown, depth: number): Generator<string> {
  if (depth === 0 || typeof value !== 'object' || value === null) {
    yield JSON.stringify(value);
    return;
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  yield isList ? '[' : '{';
  for (const [index, [key, inner]] of entries.entries()) {
    yield `${index === 0 ? '' : ','}${isList ? '' : `${JSON.stringify(key)}:`}`;
    yield* tokensOf(inner, depth - 1);
  }
  yield isList ? ']' : '}';
}
