import type { Config } from '../config/schema/config.ts';
import type { DownstreamObserver } from '../downstream/options.ts';
import type { ExchangeObserver } from '../exchange/observer.ts';
import type { StreamObserver } from '../exchange/stream.ts';
import { compileFilter, type Matches } from '../filter/filter.ts';
import { BugLog, CombinedAccessLog, JsonAccessLog } from '../observe/access-log.ts';
import { ChosenLines } from '../observe/chosen-lines.ts';
import { EcsAccessLog } from '../observe/ecs-access-log.ts';
import {
  type ClosableLogSink,
  createLog,
  type Logger,
  type LogLevel,
  type LogSink,
  openLogSink,
} from '../observe/log.ts';
import type { TrafficMetrics } from '../observe/traffic-metrics.ts';
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

/** The log and the access log of a gateway, and the files that they are written to. */
export class GatewayLogs {
  readonly log: Logger;
  readonly #sinks: ClosableLogSink[] = [];
  readonly #dropped = new Map<string, number>([
    ['gateway', 0],
    ['access', 0],
  ]);
  readonly #shared: boolean;

  /** `worker`: its number, where several processes write to the same place; `null` for a gateway that is alone. */
  constructor(level: LogLevel, worker: number | null = null) {
    this.#shared = worker !== null;
    this.log = createLog(this.#sink('gateway', null), level, worker === null ? null : { worker });
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

  accessLog({ enabled, file, format, only, sample }: Config['accessLog']): TrafficObserver {
    const bugs = new BugLog(this.log);
    if (!enabled) return bugs;
    const written = new FORMATS[format](this.#sink('access', file ?? null), this.log);
    if (only === undefined && sample >= 1) return written;
    return new ChosenLines(
      { only: only === undefined ? null : filterOf(only), sample, random: Math.random },
      written,
      bugs,
    );
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
    await Promise.all(this.#sinks.map((sink) => sink.close()));
  }

  /** Lines that nobody will read, by log. */
  get droppedLines(): ReadonlyMap<string, number> {
    return this.#dropped;
  }

  #sink(name: 'gateway' | 'access', file: string | null): LogSink {
    const sink = openLogSink(file, this.#shared ? 'shared' : 'own', {
      dropped: () => this.#dropped.set(name, (this.#dropped.get(name) ?? 0) + 1),
      inTrouble: (why) => this.log.warn({ log: name, why }, 'A log can not be written'),
      well: (dropped) => this.log.warn({ log: name, dropped }, 'A log can be written again'),
    });
    this.#sinks.push(sink);
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
