import type { ExchangeRecord } from '../../src/exchange/outcome.ts';
import type { FamilyReading } from '../../src/observe/family.ts';
import type { Http1Choice } from '../../src/transport/http1.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import type { ManualClock } from '../kit/manual-clock.ts';
import { stopAfterTest } from '../kit/stop.ts';
import type { Activity } from './activity.ts';
import { BULK, BULK_BYTES, type Case, NONCE } from './case.ts';
import { comparable, neutralSights, type Observation, withoutIdleTime } from './observation.ts';
import { SlotClient } from './slot-client.ts';
import { SlotOrigin } from './slot-origin.ts';

/** Which readers and writers of HTTP/1.1 a gateway uses. */
export interface Variant {
  readonly name: string;
  readonly fastLane: boolean;
  readonly http1: Http1Choice;
  /** Its clients, and those of what it is compared with, speak TLS. */
  readonly tls?: boolean;
  /** Further options of its listeners: what makes it differ on purpose. */
  readonly listener?: Partial<NonNullable<TestConfig['listeners']>[string]>;
}

/** What all others are compared with. */
export const REFERENCE: Variant = { name: 'general', fastLane: false, http1: 'undici' };

/** A gateway of one variant, with as many listeners, pools and endpoints as cases run at a time: what they leave behind is their own. */
export class Stage {
  readonly variant: Variant;
  readonly #gateway: TestGateway;
  readonly #origins: readonly SlotOrigin[];
  readonly #activity: Activity;
  #runs: Run[] = [];
  #recordsSeen = 0;
  #refusals = new Map<string, number>();

  private constructor(variant: Variant, gateway: TestGateway, parts: { origins: SlotOrigin[]; activity: Activity }) {
    this.variant = variant;
    this.#gateway = gateway;
    this.#origins = parts.origins;
    this.#activity = parts.activity;
  }

  static async start(
    variant: Variant,
    { slots, clock, activity }: { slots: number; clock: ManualClock; activity: Activity },
  ): Promise<Stage> {
    const origins = await Promise.all(Array.from({ length: slots }, () => SlotOrigin.start(activity)));
    stopAfterTest(async () => {
      for (const origin of origins) await origin.close();
    });
    const gateway = await startTestGateway(configFor(variant, origins), { clock, http1: variant.http1 });
    return new Stage(variant, gateway, { origins, activity });
  }

  get slots(): number {
    return this.#origins.length;
  }

  /** Clients connect. `nonce` has six digits. */
  begin(cases: readonly Case[], nonce: string, round: () => number): void {
    const fill = (text: string): string => text.replaceAll(NONCE, nonce).replaceAll(BULK, bulk);
    this.#runs = cases.map((each, index) => {
      const origin = this.#origins[index] as SlotOrigin;
      origin.begin(each.origin, { round, fill });
      const port = this.#gateway.port(`slot${index}`);
      const client = new SlotClient(each.client, {
        port,
        activity: this.#activity,
        round,
        fill,
        tls: this.variant.tls === true,
      });
      return { client, origin, eager: each.eager === true, ports: [port, origin.port] };
    });
  }

  /** Resolves when all clients are. */
  async connected(): Promise<void> {
    await Promise.all(this.#runs.map(({ client }) => client.connected));
  }

  /** One deed of each case. False: nobody has anything to do. */
  step(): boolean {
    let moved = false;
    for (const { client, origin, eager } of this.#runs) {
      const did = eager ? client.step() || origin.step() : origin.step() || client.step();
      if (did) moved = true;
    }
    return moved;
  }

  clientsLeave(): void {
    for (const { client } of this.#runs) client.leave();
  }

  originsLeave(): void {
    for (const { origin } of this.#runs) origin.reset();
  }

  /** What has been seen of each case since `begin`, whose last deed was in round `lastDeed`. */
  async observations(lastDeed: number): Promise<Observation[]> {
    const records = this.#newRecords();
    const refusals = await this.#newRefusals();
    return this.#runs.map(({ client, origin, ports }, index) => ({
      client: neutralSights(client.sights, ports),
      origin: origin.sights.map((sights) => neutralSights(withoutIdleTime(sights, lastDeed), ports)),
      records: (records.get(`slot${index}`) ?? []).map((record) => comparable(record, ports)),
      refusals: refusals.get(`slot${index}`) ?? {},
    }));
  }

  /** All that is counted. */
  metrics(): Promise<readonly FamilyReading[]> {
    return this.#gateway.gateway.metrics();
  }

  #newRecords(): Map<string, ExchangeRecord[]> {
    const { records } = this.#gateway;
    const fresh = Map.groupBy(records.slice(this.#recordsSeen), ({ listener }) => listener);
    this.#recordsSeen = records.length;
    return fresh;
  }

  /** Each count since the last time, by listener and reason. */
  async #newRefusals(): Promise<Map<string, Record<string, number>>> {
    const fresh = new Map<string, Record<string, number>>();
    const family = (await this.metrics()).find(({ name }) => name === 'headgate_refused_total');
    for (const [[listener = '', reason = ''], count] of family?.series ?? []) {
      const key = `${listener} ${reason}`;
      const more = Number(count) - (this.#refusals.get(key) ?? 0);
      this.#refusals.set(key, Number(count));
      if (more === 0) continue;
      const ofListener = fresh.get(listener) ?? {};
      ofListener[reason] = more;
      fresh.set(listener, ofListener);
    }
    return fresh;
  }
}

interface Run {
  readonly client: SlotClient;
  readonly origin: SlotOrigin;
  readonly eager: boolean;
  readonly ports: readonly number[];
}

const bulk = 'x'.repeat(BULK_BYTES);

/** What generated requests are within, or not. */
const LIMITS = { body: 16, targetBytes: 20, headerCount: 5 };

function configFor({ fastLane, listener, tls }: Variant, origins: readonly SlotOrigin[]): TestConfig {
  const slots = origins.map(({ port }, index) => ({ name: `slot${index}`, port }));
  const secure = tls === true ? { tls: { names: ['localhost'] } } : {};
  return {
    listeners: Object.fromEntries(slots.map(({ name }) => [name, { port: 0, fastLane, ...secure, ...listener }])),
    pools: Object.fromEntries(slots.map(({ name, port }) => [name, { endpoints: [`127.0.0.1:${port}`] }])),
    routes: slots.flatMap(({ name }) => [
      { name: `${name}-cached`, listeners: [name], match: { path: '/cached/**' }, pool: name, cache: {} },
      { name: `${name}-limited`, listeners: [name], match: { path: '/limited/**' }, pool: name, limits: LIMITS },
      { name: `${name}-reply`, listeners: [name], match: { path: '/reply' }, respond: { status: 200, body: 'fixed' } },
      { name, listeners: [name], pool: name },
    ]),
  };
}
