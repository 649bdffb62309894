import type { Clock } from '../../src/clock.ts';
import { systemClock } from '../../src/clock.ts';
import { Listener, type ListenerLimits, type ListenerOptions, type Refusal } from '../../src/downstream/listener.ts';
import type { CertificateSource, ServerCertificate, TlsChallenges } from '../../src/exchange/certificate.ts';
import type { HandleExchange } from '../../src/exchange/exchange.ts';
import type { TlsPolicy, TlsPolicySource } from '../../src/exchange/tls-policy.ts';
import { certificateFor, type TestCertificate } from './certificate.ts';
import { inTime } from './deadline.ts';
import { ExchangeInbox } from './exchange-inbox.ts';
import { GENERAL } from './general.ts';
import { stopAfterTest } from './stop.ts';

export interface TestListenerOptions {
  readonly tls?: boolean;
  readonly clock?: Clock;
  readonly limits?: Partial<ListenerLimits>;
  readonly over?: Partial<ListenerOptions>;
  /** In place of a plain one without session tickets. */
  readonly policies?: TlsPolicySource;
  /** In place of the one certificate of `testCertificate`. */
  readonly certificates?: CertificateSource;
  readonly challenges?: TlsChallenges;
  /** Instead of the inbox. */
  readonly handle?: HandleExchange;
}

export const limits: ListenerLimits = {
  headerBytes: 16_384,
  headerCount: 100,
  headTimeout: 10_000,
  bodyRate: 256,
  idleTimeout: 75_000,
  connections: 10_000,
  connectionsPerAddress: 512,
  streams: 128,
};

export const plainPolicy: TlsPolicy = {
  minVersion: '1.2',
  profile: 'intermediate',
  tickets: null,
  sessionSeconds: 1,
  clientCertificates: null,
  scope: 'test',
};

let certificate: Promise<TestCertificate> | null = null;

/** The certificate of every TLS test listener, for `localhost`, `shop.test` and 127.0.0.1. */
export function testCertificate(): Promise<TestCertificate> {
  certificate ??= certificateFor(['localhost', 'shop.test', '127.0.0.1']);
  return certificate;
}

/** What they show. */
export async function shown(): Promise<ServerCertificate> {
  const { cert, key } = await testCertificate();
  return { pairs: [{ certificate: cert, key }], ocspResponse: null };
}

/** A listener on a free port whose exchanges land in `inbox`. Closed after the test, which fails if it met a bug. */
export class TestListener {
  readonly listener: Listener;
  readonly inbox: ExchangeInbox;
  readonly port: number;
  readonly refusals: readonly Refusal[];
  readonly bugs: unknown[];
  readonly #waiting: (() => void)[];

  constructor(parts: {
    listener: Listener;
    inbox: ExchangeInbox;
    port: number;
    refusals: readonly Refusal[];
    bugs: unknown[];
    waiting: (() => void)[];
  }) {
    this.listener = parts.listener;
    this.inbox = parts.inbox;
    this.port = parts.port;
    this.refusals = parts.refusals;
    this.bugs = parts.bugs;
    this.#waiting = parts.waiting;
  }

  /** For a test that provoked one. */
  forgetBugs(): void {
    this.bugs.length = 0;
  }

  /** The `n`th refusal, counted from 0. */
  async refusal(n = 0): Promise<Refusal> {
    for (;;) {
      const refusal = this.refusals[n];
      if (refusal !== undefined) return refusal;
      await inTime(new Promise<void>((resolve) => this.#waiting.push(resolve)), 'a refusal');
    }
  }
}

export async function startListener(options: TestListenerOptions = {}): Promise<TestListener> {
  const inbox = new ExchangeInbox();
  const refusals: Refusal[] = [];
  const bugs: unknown[] = [];
  const waiting: (() => void)[] = [];
  const certificate = options.tls === true ? await shown() : null;
  const listener = new Listener(
    {
      name: 'web',
      kind: 'http',
      passthrough: false,
      place: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      proxyProtocol: false,
      tls: options.tls === true,
      hsts: null,
      http2: true,
      h2c: false,
      fastLane: !GENERAL,
      profile: 'edge',
      limits: { ...limits, ...options.limits },
      trustedProxies: [],
      forwardedBy: 'x-forwarded-for',
      underscores: 'drop',
      ...options.over,
    },
    {
      handle: options.handle ?? inbox.handle,
      clock: options.clock ?? systemClock,
      certificates: options.certificates ?? (certificate === null ? null : { certificateFor: () => certificate }),
      tlsPolicies: options.tls === true ? (options.policies ?? { current: () => plainPolicy }) : null,
      tlsChallenges: options.challenges ?? null,
      streams: null,
      log: {
        refused: (refusal) => {
          refusals.push(refusal);
          for (const wake of waiting.splice(0)) wake();
        },
        broke: (bug) => bugs.push(bug),
      },
    },
  );
  const { port } = await listener.open();
  stopAfterTest(async () => {
    await listener.close();
    if (bugs.length > 0) throw new Error(`The listener met a bug: ${String(bugs[0])}`, { cause: bugs[0] });
  });
  return new TestListener({ listener, inbox, port: port ?? 0, refusals, bugs, waiting });
}
