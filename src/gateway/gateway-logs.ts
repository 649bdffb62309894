import type { Config } from '../config/schema/config.ts';
import type { DownstreamObserver } from '../downstream/options.ts';
import type { ExchangeObserver } from '../exchange/observer.ts';
import type { StreamObserver } from '../exchange/stream.ts';
import { compileFilter, type Matches } from '../filter/filter.ts';
import { BugLog, CombinedAccessLog, JsonAccessLog } from '../observe/access-log.ts';
import { ChosenLines } from '../observe/chosen-lines.ts';
import { EcsAccessLog } from '../observe/ecs-access-log.ts';
import { type ClosableLogSink, createLog, type Logger, type LogLevel, openLogSink } from '../observe/log.ts';
import type { TrafficMetrics } from '../observe/traffic-metrics.ts';
import { workerLines } from '../observe/worker-lines.ts';
import type { Hand } from '../upstream/events.ts';

/** Hears of everything that clients asked for, once it is over. */
export type TrafficObserver = ExchangeObserver & StreamObserver;

const FORMATS = { json: JsonAccessLog, combined: CombinedAccessLog, ecs: EcsAccessLog } as const;

/** One that is wrong was refused with the configuration. */
function filterOf(text: string): Matches {
  const filter = compileFilter(text);
  if (!filter.ok) throw new Error(`Cannot use the filter “${text}”: ${filter.message}`);
  return filter.matches;
}

/** An access log that is ready to be written. */
export interface AccessLogChange {
  /** It takes the place of the one before, which is closed once its last lines are in the file. */
  commit(): void;
  abandon(): void;
}

interface OpenAccessLog {
  /** Another one wherever anything else would be written. */
  readonly key: string;
  readonly observer: TrafficObserver;
  readonly sink: ClosableLogSink | null;
}

/** The log and the access log of a gateway, and the files that they are written to. */
export class GatewayLogs {
  readonly log: Logger;
  readonly #sinks = new Set<ClosableLogSink>();
  #access: OpenAccessLog;
  readonly #dropped = new Map<string, number>([
    ['gateway', 0],
    ['access', 0],
  ]);
  readonly #worker: number | null;

  /** `worker`: its number, where several processes write to the same place; `null` for a gateway that is alone. */
  constructor(level: LogLevel, worker: number | null = null) {
    this.#worker = worker;
    this.log = createLog(this.#sink('gateway', null), level, worker === null ? null : { worker });
    this.#access = { key: '', observer: new BugLog(this.log), sink: null };
  }

  /** Of the log; the access log has none. */
  get level(): LogLevel {
    return this.log.level as LogLevel;
  }

  set level(level: LogLevel) {
    this.log.level = level;
  }

  /** From now on, by hand: until the next change, be it that of a reload. */
  setLevel(level: LogLevel, by: Hand): void {
    const { via, address } = by;
    const fields = { level, before: this.level, via, ...(address === null ? {} : { address }) };
    this.log.warn(fields, 'The log has another level');
    this.level = level;
  }

  /** Writes by what was committed last; bugs alone before that. */
  readonly access: TrafficObserver = {
    finished: (record) => this.#access.observer.finished(record),
    refreshed: (record) => this.#access.observer.refreshed?.(record),
    streamFinished: (record) => this.#access.observer.streamFinished(record),
  };

  /** Opens an access log beside the one that is written. Throws what the file system says. */
  prepareAccessLog(config: Config['accessLog']): AccessLogChange {
    const { recent: _remembered, recentBytes: _size, ...written } = config;
    const key = JSON.stringify(written);
    if (key === this.#access.key) return { commit: () => {}, abandon: () => {} };
    const next = this.#openAccessLog(key, config);
    return {
      commit: () => {
        const before = this.#access;
        this.#access = next;
        this.#letGo(before);
      },
      abandon: () => this.#letGo(next),
    };
  }

  #openAccessLog(key: string, { enabled, file, format, only, sample }: Config['accessLog']): OpenAccessLog {
    const bugs = new BugLog(this.log);
    if (!enabled) return { key, observer: bugs, sink: null };
    const matches = only === undefined ? null : filterOf(only);
    const sink = this.#sink('access', file ?? null);
    const marked = this.#worker === null || format === 'combined' ? sink : workerLines(sink, format, this.#worker);
    const written = new FORMATS[format](marked, this.log);
    if (matches === null && sample >= 1) return { key, observer: written, sink };
    return { key, observer: new ChosenLines({ only: matches, sample, random: Math.random }, written, bugs), sink };
  }

  /** What was written to it reaches the file. */
  #letGo({ sink }: OpenAccessLog): void {
    if (sink === null) return;
    void sink.close().then(() => this.#sinks.delete(sink));
  }

  /** What does not become an exchange is in the log and in `metrics`. */
  downstream(metrics: TrafficMetrics): DownstreamObserver {
    return {
      refused: (refusal) => {
        metrics.refused(refusal.listener, refusal.reason);
        this.log.info(refusal, 'Refused');
      },
      broke: (bug) => this.log.error({ err: bug }, 'A connection met a bug'),
    };
  }

  /** What should not be a surprise: that anybody may pose as an endpoint. */
  warnOf({ pools }: Config): void {
    for (const [pool, { tls }] of Object.entries(pools)) {
      if (tls?.insecure === true) this.log.warn({ pool }, 'Certificates of endpoints are not verified');
    }
  }

  /** Opens files again after they were rotated. */
  reopen(): void {
    for (const sink of this.#sinks) sink.reopen();
  }

  /** Resolves when everything that was said is written. Nothing is heard of a gateway after this. */
  async close(): Promise<void> {
    await Promise.all([...this.#sinks].map((sink) => sink.close()));
  }

  /** Lines that nobody will read, by log. */
  get droppedLines(): ReadonlyMap<string, number> {
    return this.#dropped;
  }

  #sink(name: 'gateway' | 'access', file: string | null): ClosableLogSink {
    const sink = openLogSink(file, this.#worker === null ? 'own' : 'shared', {
      dropped: () => this.#dropped.set(name, (this.#dropped.get(name) ?? 0) + 1),
      inTrouble: (why) => this.log.warn({ log: name, why }, 'A log can not be written'),
      well: (dropped) => this.log.warn({ log: name, dropped }, 'A log can be written again'),
    });
    this.#sinks.add(sink);
    return sink;
  }
}

/** One observer after the other. */
export function inTurn(first: ExchangeObserver & Partial<StreamObserver>, second: TrafficObserver): TrafficObserver {
  return {
    streamFinished: (record) => {
      first.streamFinished?.(record);
      second.streamFinished(record);
    },
    finished: (record) => {
      first.finished(record);
      second.finished(record);
    },
    refreshed: (record) => {
      first.refreshed?.(record);
      second.refreshed?.(record);
    },
  };
}
