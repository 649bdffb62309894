import { BULK, BULK_BYTES, type Case, type ClientStep, reply } from './case.ts';
import { mutate, split } from './mutate.ts';
import { Random } from './random.ts';
import { generateForwarded, generatePlain, generateRequest } from './requests.ts';
import { generatePlainReply, generateReply } from './responses.ts';

/** Whose bytes are odd. */
export type Side = 'client' | 'endpoint';

/** Case number `index` of a seed. */
export function generate(side: Side, seed: number, index: number): Case {
  const random = new Random(seed + (side === 'client' ? 0 : 0x5bd1e995), index);
  return side === 'client' ? clientCase(random) : endpointCase(random);
}

function clientCase(random: Random): Case {
  let text = '';
  for (let i = random.pick([1, 1, 1, 2, 2, 3, 5]); i > 0; i -= 1) {
    text += random.oneIn(3) ? generatePlain(random) : generateRequest(random);
  }
  if (random.oneIn(5)) text = mutate(random, text);
  if (random.oneIn(10)) text = text.slice(0, random.int(text.length + 1));
  const client: ClientStep[] = split(random, text).map((send) => ({ send }));
  if (random.oneIn(4)) client.push('fin');
  else if (random.oneIn(12)) client.push('rst');
  const origin = Array.from({ length: 3 }, () => generatePlainReply(random));
  // How much of a long answer is on its way when a client leaves is not the same in any two runs.
  if (typeof client.at(-1) !== 'string' && random.oneIn(200)) {
    client.unshift('stop reading');
    client.push('read');
    origin.unshift(reply(`HTTP/1.1 200 OK\r\nContent-Length: ${BULK_BYTES}\r\n\r\n${BULK}`));
  }
  return { client, origin, ...(random.oneIn(5) ? { eager: true } : {}) };
}

function endpointCase(random: Random): Case {
  const client: ClientStep[] = [];
  const requests = random.pick([1, 1, 2, 2, 3]);
  for (let i = 0; i < requests; i += 1) {
    const text = generateForwarded(random);
    const packets = random.oneIn(5) ? split(random, text) : [text];
    for (const send of packets) client.push({ send });
  }
  if (random.oneIn(10)) client.push(random.pick(['fin', 'rst']));
  const origin = Array.from({ length: requests + 1 }, () =>
    random.oneIn(4) ? generatePlainReply(random) : generateReply(random),
  );
  return { client, origin, ...(random.oneIn(5) ? { eager: true } : {}) };
}
