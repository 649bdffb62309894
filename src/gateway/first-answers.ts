import type { Discovery } from '../control/discovery/discovery.ts';

/** Longest that the start waits for the endpoints that have to be found. */
const FIRST_ANSWERS_MS = 1_000;

/**
 * Who knows the endpoints when the first request comes needs not turn it away; who has to wait for a name server that does not
 * answer starts without. By the clock on the wall, as name servers take their time by that one.
 */
export async function firstAnswers(discovery: Discovery): Promise<void> {
  const patience = Promise.withResolvers<void>();
  const timer = setTimeout(patience.resolve, FIRST_ANSWERS_MS);
  await Promise.race([discovery.settled(), patience.promise]);
  clearTimeout(timer);
}
