import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/clock.ts';
import { configFromObject, type LoadResult, servable } from '../../src/config/load.ts';
import type { ConfigInput } from '../../src/config/schema/config.ts';
import type { ReloadReport } from '../../src/control/reload.ts';
import type { GatewayStatus } from '../../src/control/status.ts';
import type { Pressure } from '../../src/engine/overload.ts';
import type { ExchangeObserver } from '../../src/exchange/observer.ts';
import type { ExchangeRecord, RefreshRecord } from '../../src/exchange/outcome.ts';
import type { StreamObserver, StreamRecord } from '../../src/exchange/stream.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import type { Http1Choice } from '../../src/transport/http1.ts';
import { inTime, until } from './deadline.ts';
import { GENERAL } from './general.ts';
import { stopAfterFile, stopAfterTest } from './stop.ts';

/** A configuration without listeners gets one, `web`, on plain HTTP. */
export type TestConfig = Omit<ConfigInput, 'admin'>;

export interface TestGatewayOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Exchanges go to the configured access log and are not recorded. Default false. */
  readonly accessLog?: boolean;
  /** How hard the process is pressed. Default: as it is. */
  readonly pressure?: () => Pressure;
  /** What speaks HTTP/1.1 to endpoints. Default: as in production. */
  readonly http1?: Http1Choice;
  /** Default: a free one, which the gateway does not know before it listens. */
  readonly adminPort?: number;
  /** Routes and pools may be broken, and `strict` refuses them. Default: a test with a broken one is wrong. */
  readonly tolerance?: 'start' | 'strict';
  /** Of the admin listener, beside its port. */
  readonly admin?: Omit<NonNullable<ConfigInput['admin']>, 'port'>;
}

/** A running gateway whose exchanges a test can wait for. */
export class TestGateway {
  readonly gateway: Gateway;
  /** Every finished exchange, in order. */
  readonly records: readonly ExchangeRecord[];
  /** Every finished stream, in order. */
  readonly streams: readonly StreamRecord[];
  /** Every finished refresh of a stored response, in order. */
  readonly refreshes: readonly RefreshRecord[];
  readonly #observed: RecordCollector;
  readonly #file: { content: LoadResult };
  readonly #options: TestGatewayOptions;
  #next = 0;
  #nextStream = 0;

  /** `file` is what a reload loads. */
  constructor(
    gateway: Gateway,
    observed: RecordCollector,
    { file, options }: { readonly file: { content: LoadResult }; readonly options: TestGatewayOptions },
  ) {
    this.gateway = gateway;
    this.#observed = observed;
    this.#file = file;
    this.#options = options;
    this.records = observed.records;
    this.streams = observed.streams;
    this.refreshes = observed.refreshes;
  }

  /** The record of the next exchange to finish, counted from the first: each call hands out one more. */
  nextRecord(): Promise<ExchangeRecord> {
    this.#next += 1;
    return inTime(this.#observed.at(this.#next - 1), `record ${this.#next} of the gateway`);
  }

  /** The same for streams. */
  async nextStream(): Promise<StreamRecord> {
    const index = this.#nextStream;
    this.#nextStream += 1;
    await until(() => this.streams.length > index, `stream record ${index + 1} of the gateway`);
    return this.streams[index] as StreamRecord;
  }

  /** Resolves when `count` refreshes have finished in all; with the last of them. */
  async refreshed(count: number): Promise<RefreshRecord> {
    await until(() => this.refreshes.length >= count, `refresh record ${count} of the gateway`);
    return this.refreshes[count - 1] as RefreshRecord;
  }

  /** Port of a listener. */
  port(listener = 'web'): number {
    return Number(new URL(this.url(listener)).port);
  }

  url(listener = 'web'): string {
    const url = this.gateway.urls.get(listener);
    if (url === undefined) throw new Error(`Cannot find listener "${listener}"`);
    return url;
  }

  status(): GatewayStatus {
    return this.gateway.status();
  }

  /** What the next reload finds. */
  source(config: TestConfig): void {
    this.found(load(config, this.#options));
  }

  /** The same for what was loaded from files. */
  found(loaded: LoadResult): void {
    this.#file.content = loaded;
  }

  /** Reloads, with `config` in place of what it has. */
  reload(config: TestConfig): Promise<ReloadReport> {
    this.source(config);
    return this.gateway.reload();
  }

  /** Reloads what was loaded elsewhere. */
  reloadFrom(loaded: LoadResult): Promise<ReloadReport> {
    this.#file.content = loaded;
    return this.gateway.reload();
  }

  /** Closes it and checks what must hold of every gateway that is gone: no bug was met, and nothing counts as in flight. */
  async stop(): Promise<void> {
    await this.gateway.close();
    const bugs = [...this.records, ...this.refreshes, ...this.streams].flatMap(({ end }) =>
      end.bug === null ? [] : [end.bug],
    );
    if (bugs.length > 0) throw new Error(`The gateway met a bug: ${String(bugs[0])}`, { cause: bugs[0] });
    for (const { name, endpoints } of this.gateway.status().pools) {
      for (const { origin, inFlight } of endpoints) {
        if (inFlight !== 0) throw new Error(`${inFlight} requests are still counted at ${origin} of pool "${name}"`);
      }
    }
  }
}

/** Starts a gateway on free ports of 127.0.0.1. Closed and examined after the test. */
export async function startTestGateway(config: TestConfig, options: TestGatewayOptions = {}): Promise<TestGateway> {
  return startLoaded(load(config, options), options);
}

/** The same with a configuration that was loaded elsewhere. */
export async function startLoaded(loaded: LoadResult, options: TestGatewayOptions = {}): Promise<TestGateway> {
  const part = options.tolerance === undefined && !loaded.ok ? null : servable(loaded);
  if (part === null) throw new Error(loaded.ok ? '' : loaded.diagnostics.map(({ message }) => message).join('\n'));
  const collector = new RecordCollector();
  const file: { content: LoadResult } = { content: loaded };
  const { clock, accessLog, pressure, http1 = GENERAL ? 'undici' : undefined } = options;
  const gateway = await startGateway({
    config: part.config,
    origins: part.origins,
    faults: part.faults,
    strict: options.tolerance === 'strict',
    source: { load: () => file.content },
    certificatesDirectory: await certificatesDirectory(),
    logLevel: 'silent',
    ...(accessLog === true ? {} : { observer: collector }),
    ...(clock === undefined ? {} : { clock }),
    ...(pressure === undefined ? {} : { pressure }),
    ...(http1 === undefined ? {} : { http1 }),
  });
  const started = new TestGateway(gateway, collector, { file, options });
  stopAfterTest(() => started.stop());
  return started;
}

function load(config: TestConfig, { adminPort = 0, admin = {} }: TestGatewayOptions): LoadResult {
  return configFromObject({ ...onFreePorts(config), admin: { port: adminPort, ...admin } });
}

function onFreePorts(config: TestConfig): TestConfig {
  const listeners = Object.entries(config.listeners ?? { web: { port: 0 } }).map(([name, listener]) => {
    const way = GENERAL && listener.kind !== 'tcp' ? { fastLane: false } : {};
    return [name, { address: '127.0.0.1', ...way, ...listener }];
  });
  return { ...config, listeners: Object.fromEntries(listeners) };
}

class RecordCollector implements ExchangeObserver, StreamObserver {
  readonly streams: StreamRecord[] = [];
  readonly records: ExchangeRecord[] = [];
  readonly refreshes: RefreshRecord[] = [];
  readonly #waiting: { readonly index: number; readonly resolve: (record: ExchangeRecord) => void }[] = [];

  finished(record: ExchangeRecord): void {
    this.records.push(record);
    const index = this.records.length - 1;
    for (const waiter of this.#waiting) if (waiter.index === index) waiter.resolve(record);
  }

  streamFinished(record: StreamRecord): void {
    this.streams.push(record);
  }

  refreshed(record: RefreshRecord): void {
    this.refreshes.push(record);
  }

  at(index: number): Promise<ExchangeRecord> {
    const known = this.records[index];
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => this.#waiting.push({ index, resolve }));
  }
}

let directory: Promise<string> | null = null;

/** One per test file: the authority and its leaves are minted once. */
function certificatesDirectory(): Promise<string> {
  directory ??= ownDirectory();
  return directory;
}

async function ownDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'headgate-test-'));
  stopAfterFile(async () => {
    directory = null;
    await rm(path, { recursive: true, force: true });
  });
  return path;
}

/** PEM text of the authority that signs what the gateways of this test file show. There once one with TLS has started. */
export async function testAuthority(): Promise<string> {
  return readFile(join(await certificatesDirectory(), 'ca.pem'), 'utf8');
}
