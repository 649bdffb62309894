import { type AbuseRow, measureAbuse } from './abuse.ts';
import { type CrowdRow, measureCrowd } from './crowd.ts';
import { type HalfRow, measureHalf } from './half.ts';
import { type HandshakeRow, measureHandshakes } from './handshake.ts';
import { type IdleRow, measureIdle } from './idle.ts';
import { load } from './load.ts';
import { medianRows } from './median-rows.ts';
import { startOrigin } from './origin.ts';
import type { Peer, Place } from './peers/peer.ts';
import { type Running, start } from './processes.ts';
import type { Row } from './report.ts';
import { machineOf, type Results } from './results.ts';
import { emptyLogs, type Measurement, measureScenario, type ScenarioName, scenarios } from './scenarios.ts';
import { measureWorkers, type WorkersRow } from './workers.ts';

export interface RunOptions extends Measurement {
  /** Requests a second of `half`; `null` for half of Headgate's most. */
  readonly rate: number | null;
  /** How often loads are measured, all proxies in turn; the median is kept. What is no load is measured once. */
  readonly rounds: number;
}

interface Tables {
  readonly scenarios: Record<ScenarioName, Row[]>;
  readonly half: HalfRow[];
  readonly idle: IdleRow[];
  readonly crowd: CrowdRow[];
  readonly handshakes: HandshakeRow[];
  readonly abuse: AbuseRow[];
}

/** Everything that `chosen` names, of one proxy after the other. */
export async function measurePeers(
  peers: readonly Peer[],
  chosen: readonly string[],
  options: RunOptions,
): Promise<Results> {
  const { seconds, connections } = options;
  const tables: Tables = {
    scenarios: { proxied: [], https: [], http2: [], large: [], cached: [], 'https-cached': [] },
    ...{ half: [], idle: [], crowd: [], handshakes: [], abuse: [] },
  };
  let workers: WorkersRow[] = [];
  const takenAt = new Date().toISOString();
  const { place, origin } = await startOrigin(options.directory);
  try {
    const rate = new HalfRate(options);
    for (let round = 0; round < options.rounds; round += 1) {
      const again = round === 0 ? chosen : chosen.filter((name) => name === 'half' || name in scenarios);
      if (again.length > 0)
        for (const peer of peers) await measurePeer({ peer, place, chosen: again, tables, rate, options });
    }
    if (chosen.includes('workers')) workers = await measureWorkers(place, { seconds, connections });
  } finally {
    await origin.stop();
  }
  return { takenAt, machine: machineOf(peers), seconds, connections, ...tables, ...mediansOf(tables), workers };
}

function mediansOf({ scenarios: measured, half }: Tables): Pick<Tables, 'scenarios' | 'half'> {
  const median = (name: ScenarioName): Row[] => medianRows(measured[name], ({ cpuPerRequestUs }) => cpuPerRequestUs);
  return {
    scenarios: {
      ...{ proxied: median('proxied'), https: median('https'), http2: median('http2'), large: median('large') },
      ...{ cached: median('cached'), 'https-cached': median('https-cached') },
    },
    half: medianRows(half, ({ p99Ms }) => p99Ms),
  };
}

interface PeerRun {
  readonly peer: Peer;
  readonly place: Place;
  readonly chosen: readonly string[];
  readonly tables: Tables;
  readonly rate: HalfRate;
  readonly options: RunOptions;
}

async function measurePeer(run: PeerRun): Promise<void> {
  const { peer, place, chosen, tables, options } = run;
  // Of processes of its own: what other scenarios leave in its memory would count.
  if (chosen.includes('idle')) tables.idle.push(...(await measureIdle(peer, place, options.seconds)));
  if (chosen.every((name) => name === 'idle' || name === 'workers')) return;
  const running = await start(peer.command(place));
  try {
    await measureLoads(run, running);
    if (chosen.includes('handshake')) {
      tables.handshakes.push(...(await measureHandshakes(peer, running, options.seconds)));
    }
    if (chosen.includes('abuse')) tables.abuse.push(...(await measureAbuse(peer, '/100k')));
    if (chosen.includes('crowd')) keep(tables.crowd, await measureCrowd(peer, running, options.seconds));
  } finally {
    await running.stop();
    emptyLogs(place.directory);
  }
}

async function measureLoads({ peer, chosen, tables, rate, options }: PeerRun, running: Running): Promise<void> {
  for (const name of Object.keys(scenarios) as ScenarioName[]) {
    if (!chosen.includes(name)) continue;
    const row = await measureScenario(peer, running, scenarios[name], options);
    keep(tables.scenarios[name], row);
    if (name === 'proxied' && row !== null) rate.learn(row.requestsPerSecond);
  }
  if (!chosen.includes('half') || peer.http === null) return;
  const { seconds, connections } = options;
  keep(tables.half, await measureHalf(peer, running, { perSecond: await rate.perSecond(peer), seconds, connections }));
}

function keep<T>(rows: T[], row: T | null): void {
  if (row !== null) rows.push(row);
}

/** Half of what the first proxy can do at most, which is Headgate unless it was left out. */
class HalfRate {
  readonly #options: RunOptions;
  #most: number | null = null;

  constructor(options: RunOptions) {
    this.#options = options;
  }

  learn(mostPerSecond: number): void {
    this.#most ??= mostPerSecond;
  }

  /** Finds it out by the running `peer` where no proxy has been loaded yet. */
  async perSecond({ http }: Peer): Promise<number> {
    const { rate, seconds, connections } = this.#options;
    if (rate !== null) return rate;
    if (this.#most === null) {
      const parameters = { url: `http://127.0.0.1:${http}/1k`, connections, http2: false };
      await load({ ...parameters, seconds });
      this.#most = (await load({ ...parameters, seconds })).requestsPerSecond;
    }
    return this.#most / 2;
  }
}
