import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';

export interface Visits {
  readonly answered: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const VISITORS = 16;
/** Each visitor's pause between an answer and its next request: together some 700 requests a second, far from saturation. */
const PAUSE_MS = 20;

/** What ordinary clients feel: a few kept-alive connections with pauses between requests. Nobody here is at the limit. */
export async function visit(url: string, seconds: number): Promise<Visits> {
  const secure = url.startsWith('https:');
  const options = { keepAlive: true, maxSockets: VISITORS };
  const agent = secure ? new SecureAgent({ ...options, rejectUnauthorized: false }) : new PlainAgent(options);
  const until = performance.now() + seconds * 1000;
  const times: number[] = [];
  let failures = 0;
  const one = (measured: boolean): Promise<void> =>
    new Promise((resolve) => {
      const began = performance.now();
      const fail = (): void => {
        failures += 1;
        resolve();
      };
      const outgoing = (secure ? secureRequest : plainRequest)(url, { agent }, (response) => {
        response.resume();
        response.on('error', fail);
        response.on('end', () => {
          if (measured) times.push(performance.now() - began);
          if (response.statusCode !== 200) failures += 1;
          resolve();
        });
      });
      outgoing.on('error', fail);
      outgoing.end();
    });
  await Promise.all(
    Array.from({ length: VISITORS }, async () => {
      // Sixteen handshakes at once are the visitors' own doing: the first request of each is not counted.
      await one(false);
      while (performance.now() < until) {
        await one(true);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }),
  );
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { answered: times.length, failures, p50Ms: at(0.5), p99Ms: at(0.99) };
}
