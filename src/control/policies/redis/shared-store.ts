import { CoarseClock, type Deadline, type TimerHandle } from '../../../clock.ts';
import type { RedisConfig } from '../../../config/schema/stores.ts';
import type { PolicyState } from '../../../policy/policy-state.ts';
import { gcraOf } from '../../../policy/rate-limit/gcra.ts';
import type { Claim, Owed, RateStore } from '../../../policy/rate-limit/rate-store.ts';
import type { PolicyWorld } from '../policy-world.ts';
import { type Connect, connectRedis, type StoreConnection } from './connection.ts';
import { owedIn, scriptArguments } from './script.ts';

/** So many answers in a row that came too late are no accident. */
const LATE_IN_A_ROW = 5;
/** A connection that can't be used by then never can. */
const READY_MS = 3_000;
/** Between tries: doubled each time up to the second, less up to half of it at random, so that gateways don’t come all at once. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5_000;
/** Timeouts are looked at so often. */
const TICK_MS = 5;
/** Of a key that something else was written to is told so often at most. */
const COMPLAINT_MS = 60_000;

/** Does everything that a limit does, so that whatever would fail there fails here. */
const PROBE: Claim = {
  key: 'probe',
  gcra: gcraOf({ rate: { count: 1, periodMs: 1 }, burst: 1_000 }),
  cost: 1,
  watches: true,
};

export interface SharedStoreOptions {
  readonly name: string;
  readonly redis: RedisConfig;
  readonly world: Pick<PolicyWorld, 'clock' | 'random' | 'observer'>;
  /** Default: over the network. */
  readonly connect?: Connect;
}

/** A request that waits. */
interface Waiting extends Deadline {
  done: ((owed: Owed | null) => void) | null;
}

/**
 * A Redis or Valkey server that limits count at. No request waits for it longer than its timeout, and none at all while it is lost: from
 * when the connection ends, an answer is an error or five in a row came too late, until a new connection has run the script in time.
 * At most `maxWaiting` commands are unanswered, one timer runs.
 */
export class SharedStore implements RateStore, PolicyState {
  readonly id: string;
  readonly address: string;
  readonly #options: SharedStoreOptions;
  readonly #deadlines: CoarseClock;
  readonly #waiting = new Set<Waiting>();
  #connection: StoreConnection | null = null;
  #timer: TimerHandle | null = null;
  #isUp = false;
  /** Operators were told that it is lost. */
  #isMissed = false;
  #why = 'not connected yet';
  #unanswered = 0;
  #lateInARow = 0;
  #tries = 0;
  #asked = 0;
  #unsaid = 0;
  #complainedAt = Number.NEGATIVE_INFINITY;

  constructor(id: string, options: SharedStoreOptions) {
    this.id = id;
    this.#options = options;
    this.#deadlines = new CoarseClock(options.world.clock, TICK_MS);
    const { protocol, host } = new URL(options.redis.url);
    this.address = `${protocol}//${host}`;
  }

  get available(): boolean {
    return this.#isUp && this.#unanswered < this.#options.redis.maxWaiting;
  }

  open(): void {
    this.#connect();
  }

  close(): void {
    this.#drop('the gateway has closed it');
    this.#cancelTimer();
  }

  status(): Readonly<Record<string, string | number | boolean>> {
    return {
      store: this.#options.name,
      address: this.address,
      up: this.#isUp,
      ...(this.#isUp ? {} : { why: this.#why }),
      asked: this.#asked,
      unsaid: this.#unsaid,
      waiting: this.#waiting.size,
    };
  }

  take(claims: readonly Claim[], done: (owed: Owed | null) => void): void {
    if (!this.available) {
      done(null);
      return;
    }
    this.#asked += 1;
    const waiting: Waiting = { at: 0, slot: 0, done, expire: () => this.#isLate(waiting) };
    this.#waiting.add(waiting);
    this.#deadlines.arm(waiting, this.#options.redis.timeout);
    this.#run(claims, (owed) => this.#answer(waiting, owed));
  }

  /** `done` is not called for a connection that is lost. */
  #run(claims: readonly Claim[], done: (owed: Owed | null) => void): void {
    const connection = this.#connection;
    this.#unanswered += 1;
    connection?.run(claims.length, scriptArguments(this.#options.redis.prefix, claims), (error, reply) => {
      if (connection !== this.#connection) return;
      this.#unanswered -= 1;
      const owed = error === null ? owedIn(reply, claims.length) : null;
      if (owed === null && error?.message.includes('WRONGTYPE') !== true) {
        this.#lose(error?.message ?? 'it answered something else than was asked for');
        return;
      }
      if (owed === null) this.#complain();
      done(owed);
    });
  }

  #answer(waiting: Waiting, owed: Owed | null): void {
    const { done } = waiting;
    // Its request went on without it.
    if (done === null) return;
    waiting.done = null;
    this.#deadlines.disarm(waiting);
    this.#waiting.delete(waiting);
    if (owed === null) this.#unsaid += 1;
    else this.#lateInARow = 0;
    done(owed);
  }

  #isLate(waiting: Waiting): void {
    // After a pause of this process itself, timers come before what has long been in its sockets: that is read first.
    setImmediate(() => {
      if (waiting.done === null) return;
      this.#lateInARow += 1;
      this.#answer(waiting, null);
      if (this.#isUp && this.#lateInARow >= LATE_IN_A_ROW) this.#lose('it does not answer in time');
    });
  }

  #connect(): void {
    const { redis, connect = connectRedis } = this.#options;
    this.#timer = this.#options.world.clock.after(READY_MS, () => this.#lose('it does not answer'));
    this.#connection = connect(redis, {
      ready: () => this.#probe(),
      lost: (why) => this.#lose(why),
    });
  }

  /** It shall not only answer, but in time. */
  #probe(): void {
    this.#cancelTimer();
    const { clock } = this.#options.world;
    // Not by the tick of the others: that would add its own length.
    this.#timer = clock.after(this.#options.redis.timeout, () => {
      const connection = this.#connection;
      setImmediate(() => {
        if (!this.#isUp && connection !== null && connection === this.#connection)
          this.#lose('it does not answer in time');
      });
    });
    this.#run([PROBE], (owed) => {
      if (owed === null) this.#lose('something else was written to its key');
      else this.#isBack();
    });
  }

  #isBack(): void {
    this.#cancelTimer();
    this.#isUp = true;
    this.#tries = 0;
    this.#lateInARow = 0;
    if (!this.#isMissed) return;
    this.#isMissed = false;
    this.#tell('store-back', 'info', `${this.address} answers again: limits count together with other gateways`);
  }

  #lose(why: string): void {
    this.#drop(why);
    this.#cancelTimer();
    const { clock, random } = this.#options.world;
    const delay = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#tries, 10));
    this.#tries += 1;
    this.#timer = clock.after(delay * (1 - random() / 2), () => this.#connect());
    if (this.#isMissed) return;
    this.#isMissed = true;
    this.#tell('store-lost', 'warn', `${this.address}: ${this.#why}; each gateway limits by itself until it is back`);
  }

  /** Whoever waits goes on without it. */
  #drop(why: string): void {
    // Text of a server that is not known to be one.
    this.#why = why.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?');
    const connection = this.#connection;
    this.#connection = null;
    this.#isUp = false;
    this.#unanswered = 0;
    connection?.close();
    for (const waiting of [...this.#waiting]) this.#answer(waiting, null);
  }

  #complain(): void {
    const now = this.#options.world.clock.monotonic();
    if (now - this.#complainedAt < COMPLAINT_MS) return;
    this.#complainedAt = now;
    this.#tell(
      'store-refused',
      'warn',
      `${this.address}: a key of ours holds something else; this gateway decides about it alone`,
    );
  }

  #tell(event: string, level: 'info' | 'warn', detail: string): void {
    const { world, name } = this.#options;
    world.observer({ policy: 'rateLimit', owner: `store ${name}`, event, level, detail });
  }

  #cancelTimer(): void {
    if (this.#timer !== null) this.#options.world.clock.cancel(this.#timer);
    this.#timer = null;
  }
}
