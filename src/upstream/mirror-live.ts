/** Why a request was not copied although its share would have it. */
export type MirrorDrop =
  /** As many copies are under way as may be. */
  | 'in-flight'
  /** The gateway, or the other pool, has enough to do without. */
  | 'overload'
  | 'pool-limit'
  | 'breaker-open'
  | 'no-endpoint'
  /** The body is larger than what is kept of one, or of all together; or the exchange was over before all of it had come. */
  | 'body-too-large'
  | 'body-memory'
  | 'body-incomplete'
  | 'bug';

/** What became of the copies of one route's requests. Kept over reloads. Its maps are as large as their enumerations. */
export class MirrorLive {
  readonly route: string;
  readonly pool: string;
  /** Copies that are under way, those included whose request is still coming in. */
  inFlight = 0;
  sent = 0;
  readonly dropped = new Map<string, number>();
  /** By class of status, `2xx`. */
  readonly answered = new Map<string, number>();
  /** By reason of the failure. */
  readonly failed = new Map<string, number>();

  constructor(route: string, pool: string) {
    this.route = route;
    this.pool = pool;
  }

  drop(why: MirrorDrop): void {
    count(this.dropped, why);
  }

  answer(status: number): void {
    count(this.answered, `${Math.floor(status / 100)}xx`);
  }

  fail(reason: string): void {
    count(this.failed, reason);
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
