/**
 * `npm run test:matrix` asks for everything: all combinations of the matrix, all runs of the long properties. `npm test` has three minutes
 * for all tests, and takes a part of both that is the same every time.
 */
export const WHOLE = process.env['TEST_WHOLE'] === '1';

/** How often a property that takes long is tried: `all` times, or a third of them under `npm test`; with the same seed, the first third. */
export function runs(all: number): number {
  return WHOLE ? all : Math.ceil(all / 3);
}
