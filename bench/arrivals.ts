import { Agent, request } from 'node:http';

export interface Arrivals {
  readonly url: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** So long a client waits; then it leaves. */
  readonly patienceMs: number;
}

export interface Outcome {
  readonly offered: number;
  /** 200 before the client's patience was over. */
  readonly served: number;
  /** 503. */
  readonly refused: number;
  /** The client left. */
  readonly late: number;
  readonly failed: number;
  /** Of those served. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** At most so many arrivals are made up for at once, when this process itself was late. */
const BURST = 50;

/**
 * Clients that come when they come (Poisson arrivals), however many are already waiting: unlike clients that wait for an answer before
 * they ask again, these do not spare a server that is slow. Only the time after the first fifth counts.
 */
export async function arrive({ url, perSecond, seconds, patienceMs }: Arrivals): Promise<Outcome> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4_000 });
  const began = performance.now();
  const until = began + seconds * 1_000;
  const countedFrom = began + seconds * 200;
  const served: number[] = [];
  const counts = { offered: 0, refused: 0, late: 0, failed: 0 };
  const pending = new Set<Promise<void>>();
  let nextAt = began;
  while (performance.now() < until) {
    for (let burst = 0; nextAt <= performance.now() && burst < BURST; burst += 1) {
      const counted = nextAt >= countedFrom;
      nextAt += (-Math.log(1 - Math.random()) * 1_000) / perSecond;
      const one = ask(url, agent, patienceMs).then(({ kind, ms }) => {
        pending.delete(one);
        if (!counted) return;
        counts.offered += 1;
        if (kind === 'served') served.push(ms);
        else counts[kind] += 1;
      });
      pending.add(one);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(pending);
  agent.destroy();
  served.sort((a, b) => a - b);
  const at = (share: number): number => served[Math.floor(served.length * share)] ?? Number.NaN;
  return { ...counts, served: served.length, p50Ms: at(0.5), p99Ms: at(0.99) };
}

type Kind = 'served' | 'refused' | 'late' | 'failed';

function ask(url: string, agent: Agent, patienceMs: number): Promise<{ kind: Kind; ms: number }> {
  return new Promise((resolve) => {
    const began = performance.now();
    const done = (kind: Kind): void => {
      clearTimeout(timer);
      resolve({ kind, ms: performance.now() - began });
    };
    const outgoing = request(url, { agent }, (response) => {
      response.resume();
      response.on('error', () => done('failed'));
      response.on('end', () =>
        done(response.statusCode === 200 ? 'served' : response.statusCode === 503 ? 'refused' : 'failed'),
      );
    });
    const timer = setTimeout(() => {
      done('late');
      outgoing.destroy();
    }, patienceMs);
    outgoing.on('error', () => done('failed'));
    outgoing.end();
  });
}
