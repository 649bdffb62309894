import type { Clock } from '../clock.ts';
import { closest, didYouMean, enumerate } from '../config/suggest.ts';
import type { Maintenance, Outage } from '../engine/maintenance.ts';
import type { Hand } from '../upstream/events.ts';

/** `Retry-After` unless said otherwise, in seconds. */
export const RETRY_AFTER_SECONDS = 60;
/** A day. */
export const MOST_RETRY_AFTER_SECONDS = 86_400;

/** Since when something is out of service, ISO 8601, and when its clients are told to come again. */
export interface OutageStatus {
  readonly since: string;
  readonly retryAfterSeconds: number;
}

/** What is out of service by hand. */
export interface MaintenanceStatus {
  /** All routes together; `null` unless they are. */
  readonly all: OutageStatus | null;
  /** Single ones, by their own switch. */
  readonly routes: readonly (OutageStatus & { readonly route: string })[];
}

export interface MaintenanceOrder {
  /** `null`: all of them. */
  readonly route: string | null;
  readonly on: boolean;
  /** For `Retry-After`; means nothing when it is switched off. */
  readonly retryAfterSeconds: number;
}

export type MaintenanceResult =
  | {
      readonly ok: true;
      /** It was otherwise before. */
      readonly changed: boolean;
      readonly route: string | null;
      /** `null`: it is in service. A route whose own switch is off may be out of service by that for all. */
      readonly outage: OutageStatus | null;
    }
  | { readonly ok: false; readonly reason: 'unknown-route'; readonly message: string };

/** One change, for the log. */
export interface MaintenanceNote extends MaintenanceOrder {
  readonly by: Hand;
}

export interface MaintenanceControlParts {
  readonly maintenance: Maintenance;
  readonly clock: Clock;
  /** Hears of each change. Must not throw. */
  readonly changed: (note: MaintenanceNote) => void;
}

/** Takes routes out of service and back, by hand, at run time. It holds from the next request on; those under way are never touched. */
export class MaintenanceControl {
  readonly #parts: MaintenanceControlParts;

  constructor(parts: MaintenanceControlParts) {
    this.#parts = parts;
  }

  status(): MaintenanceStatus {
    const { all, own } = this.#parts.maintenance;
    return {
      all: all === null ? null : outageStatus(all),
      routes: Array.from(own, ([route, outage]) => ({ route, ...outageStatus(outage) })),
    };
  }

  set(order: MaintenanceOrder, by: Hand): MaintenanceResult {
    const { maintenance, clock, changed } = this.#parts;
    const { route, on, retryAfterSeconds } = order;
    if (route !== null && !maintenance.has(route)) return unknown(route, [...maintenance.routes]);
    const before = route === null ? maintenance.all : (maintenance.own.get(route) ?? null);
    const isSame = on ? before?.retryAfterSeconds === retryAfterSeconds : before === null;
    if (isSame) return done(route, before, false);
    const outage = on ? { sinceMs: before?.sinceMs ?? clock.now(), retryAfterSeconds } : null;
    if (route === null) maintenance.setAll(outage);
    else maintenance.set(route, outage);
    changed({ ...order, by });
    return done(route, outage, true);
  }
}

function done(route: string | null, outage: Outage | null, changed: boolean): MaintenanceResult {
  return { ok: true, changed, route, outage: outage === null ? null : outageStatus(outage) };
}

export function outageStatus({ sinceMs, retryAfterSeconds }: Outage): OutageStatus {
  return { since: new Date(sinceMs).toISOString(), retryAfterSeconds };
}

function unknown(route: string, known: readonly string[]): MaintenanceResult {
  const near = closest(route, known);
  const hint = near === null ? `there are ${enumerate(known, 'and')}` : didYouMean(near);
  return { ok: false, reason: 'unknown-route', message: `“${route}” is no route: ${hint}` };
}
