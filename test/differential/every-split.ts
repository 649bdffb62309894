import { type Case, reply } from './case.ts';
import { splitAt } from './mutate.ts';

/** One case for each place at which the bytes of a client can be cut, or each pair of places. */
export function splitRequests(text: string, cuts: 1 | 2): Case[] {
  return placesIn(text, cuts).map((places) => ({
    client: splitAt(text, places).map((send) => ({ send })),
    origin: [],
  }));
}

/** The same for what an endpoint answers to a GET, after which a second one shows what became of its connection. */
export function splitResponses(text: string, cuts: 1 | 2): Case[] {
  const client = [{ send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' }, { send: 'GET /again HTTP/1.1\r\nHost: a\r\n\r\n' }];
  return placesIn(text, cuts).map((places) => ({ client, origin: [reply(...splitAt(text, places))] }));
}

function placesIn(text: string, cuts: 1 | 2): number[][] {
  const singles = Array.from({ length: text.length - 1 }, (_, index) => index + 1);
  if (cuts === 1) return singles.map((place) => [place]);
  return singles.flatMap((first) => singles.filter((second) => second > first).map((second) => [first, second]));
}
