import { expect } from 'vitest';
import { explain } from '../../../src/control/explain/explain.ts';
import type { Explanation } from '../../../src/control/explain/explanation.ts';
import { type Question, readQuestion } from '../../../src/control/explain/question.ts';
import type { Subject } from '../../../src/control/explain/subject.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { noBody } from '../../../src/exchange/body.ts';
import type { Exchange } from '../../../src/exchange/exchange.ts';
import type { ExchangeRecord } from '../../../src/exchange/outcome.ts';
import { hostOf } from '../../../src/http/target.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { ScriptedClient } from '../../kit/scripted-client.ts';
import { scriptedEngine } from '../../kit/scripted-engine.ts';
import { type ScriptedAttempt, ScriptedTransport } from '../../kit/scripted-transport.ts';
import { randomOf, requestBy, type Sent, type World } from './explain-world.ts';

const PORTS = { web: 8080, tls: 443, old: 80, strict: 8081 } as const;

/** What happened to a request that was sent. */
export interface Live {
  readonly record: ExchangeRecord;
  readonly attempt: ScriptedAttempt | null;
  readonly head: readonly string[];
}

/** An engine under fire, and the questions that can be asked of it. */
export class Scene {
  readonly subject: Subject;
  readonly #clock: ManualClock;
  readonly #engine: Engine;
  readonly #transport = new ScriptedTransport();
  readonly #records: ExchangeRecord[] = [];
  #answers = 0;

  constructor({ loaded, snapshot }: World) {
    this.#clock = new ManualClock();
    this.#engine = scriptedEngine(snapshot, {
      transport: this.#transport,
      clock: this.#clock,
      finished: (record) => this.#records.push(record),
    });
    const { config, origins } = loaded;
    const nowMs = this.#clock.now();
    this.subject = { snapshot, config, origins, ports: new Map(), running: true, nowMs };
  }

  send(sent: Sent): Live {
    const client = new ScriptedClient({ method: sent.method, target: sent.target, headers: fieldsOf(sent) });
    const exchange = exchangeOf(sent, client.exchange);
    this.#records.length = 0;
    this.#transport.attempts.length = 0;
    this.#engine.handle(exchange);
    const attempt = this.#transport.attempts[0] ?? null;
    for (const one of this.#transport.attempts) this.#answer(one, exchange);
    const record = this.#records[0];
    if (record === undefined) throw new Error(`${sent.method} ${sent.target} has no end`);
    return { record, attempt, head: client.head?.headers ?? [] };
  }

  #answer(attempt: ScriptedAttempt, { request }: Exchange): void {
    this.#answers += 1;
    const age = ['max-age=60', 'no-store', 'max-age=0, stale-while-revalidate=60'][this.#answers % 3] ?? '';
    const vary = this.#answers % 5 === 0 ? ['Vary', 'X-A'] : [];
    const date = new Date(this.#clock.now()).toUTCString();
    const headers = ['Date', date, 'Cache-Control', age, 'ETag', '"v1"', 'Content-Length', '1', ...vary];
    attempt.head({ status: 200, headers });
    if (attempt.isOver) return;
    if (request.method !== 'HEAD') attempt.data(Buffer.from('x'));
    attempt.end();
  }
}

function fieldsOf({ authority, headers }: Sent): readonly string[] {
  const octets = Object.entries(headers).flatMap(([name, value]) => [name, Buffer.from(value).toString('latin1')]);
  return ['Host', authority, ...octets];
}

/** As the downstream would make it. */
function exchangeOf(sent: Sent, scripted: Exchange): Exchange {
  const secure = sent.listener === 'tls';
  const host = hostOf(sent.authority);
  const isName = !/^[\d[]/.test(host);
  const protocol = sent.headers['Upgrade'] === 'websocket' && sent.bodyBytes === 0 ? 'websocket' : null;
  const dropped = (name: string): boolean => name.includes('_') && sent.listener === 'web';
  const headers = scripted.request.headers;
  return Object.assign(scripted, {
    request: {
      ...scripted.request,
      authority: sent.authority,
      scheme: secure ? 'https' : 'http',
      headers: headers.filter((_, i) => !dropped(headers[i - (i % 2)] as string)),
    },
    requestBody: sent.bodyBytes === 0 ? noBody : { ...noBody, length: sent.bodyBytes },
    listener: sent.listener,
    upgrade: protocol === null ? null : { protocol, accept: () => Promise.reject(new Error('No tunnels here')) },
    client: {
      ...scripted.client,
      address: sent.client,
      peer: sent.client,
      localPort: PORTS[sent.listener],
      tls: secure
        ? {
            serverName: isName ? host : null,
            protocol: 'TLSv1.3',
            cipher: 'TLS_AES_128_GCM_SHA256',
            clientCertificate: null,
            refusal: null,
          }
        : null,
    },
  }) as Exchange;
}

export function questionOf(sent: Sent): Question {
  const { listener, authority, target, ...rest } = sent;
  const url = `${listener === 'tls' ? 'https' : 'http'}://${authority}${target === '*' ? '' : target}`;
  const read = readQuestion({ ...rest, listener, url });
  if (!read.ok) throw new Error(`${url}: ${read.message}`);
  return read.question;
}

const isOwn = (name: string): boolean => !/^(?:host|x-request-id|content-length)$/i.test(name);

/** What an explanation says, as far as it can be seen from outside. */
function told({ outcome, route, upstream, pool, cache }: Explanation): object {
  const goes = outcome.kind === 'forward' || outcome.kind === 'tunnel';
  return {
    route: route?.name ?? null,
    ends: outcome.kind === 'reply' || outcome.kind === 'refuse' ? [outcome.status, outcome.reason] : null,
    head:
      outcome.kind === 'reply' || outcome.kind === 'refuse'
        ? outcome.headers.filter(({ name }) => isOwn(name)).map(({ name, value }) => `${name}: ${value}`)
        : null,
    attempt: goes && upstream !== null ? [upstream.method, upstream.target] : null,
    ...(pool?.by === 'weight'
      ? {}
      : {
          fields: goes && upstream !== null ? upstream.headers.filter(({ name }) => isOwn(name)).map(fieldText) : null,
          host: goes && upstream !== null ? upstream.host : null,
          pool: pool === null ? null : pool.name,
          endpoint: goes ? (pool?.chosen?.endpoint ?? null) : null,
          cache: cache === null ? null : [cache.lookup, cache.why],
        }),
  };
}

const fieldText = ({ name, value, by }: { name: string; value: string; by: string }): string =>
  `${name}: ${by === 'route' && name === 'Authorization' ? '(secret)' : value}`;

/** The same of what has happened; what the explanation leaves open is left open. */
function seen({ record, attempt, head }: Live, { outcome, upstream, pool, cache }: Explanation): object {
  const goes = attempt !== null && !(outcome.kind === 'serve' && outcome.refresh);
  const hosts = pairs(attempt?.attempt.headers ?? []).filter(([name]) => name === 'Host');
  const isOwnReply = outcome.kind === 'reply' || outcome.kind === 'refuse';
  return {
    route: record.route,
    ends: isOwnReply ? [grpcStatus(record, outcome.status), record.end.reason] : null,
    head: isOwnReply
      ? pairs(head)
          .filter(([name]) => isOwn(name))
          .map(([name, value]) => `${name}: ${value}`)
      : null,
    attempt: goes ? [attempt.attempt.method, attempt.attempt.target] : null,
    ...(pool?.by === 'weight'
      ? {}
      : {
          fields: goes
            ? pairs(attempt.attempt.headers)
                .filter(([name]) => isOwn(name))
                .map(([name, value]) => `${name}: ${value === 'Basic x' ? '(secret)' : value}`)
            : null,
          host: upstream === null || upstream.host === null || !goes ? null : hosts[0]?.[1],
          pool: pool === null ? null : record.pool,
          endpoint: pool === null || pool.chosen === null || !goes ? null : record.endpoint,
          cache: cache === null ? null : cacheSeen(record, cache.lookup),
        }),
  };
}

/** gRPC clients get 200, whatever it is. */
function grpcStatus({ status, grpcStatus: code }: ExchangeRecord, told: number): number {
  return code === null ? status : told;
}

function pairs(headers: readonly string[]): readonly (readonly [string, string])[] {
  return headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1] as string] as const] : []));
}

const RESULTS: Readonly<Record<string, string>> = { 'stale-while-revalidate': 'stale' };

/** What came of a validation is not known before. */
function cacheSeen({ cache }: ExchangeRecord, lookup: string): readonly unknown[] {
  const result = cache?.result ?? 'none';
  if (lookup === 'revalidate' && (result === 'revalidated' || result === 'miss')) return [lookup, cache?.why];
  return [RESULTS[result] ?? result, cache?.why];
}

/** Asks and sends so many requests to each world, and says how often which outcome was found. The first difference is an assertion's. */
export function compareAll(all: readonly World[], requestsEach: number): ReadonlyMap<string, number> {
  const outcomes = new Map<string, number>();
  for (const [index, world] of all.entries()) {
    const scene = new Scene(world);
    const random = randomOf(index + 1);
    for (let i = 0; i < requestsEach; i += 1) {
      const outcome = compare(scene, requestBy(random));
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  }
  return outcomes;
}

function compare(scene: Scene, sent: Sent): string {
  const explanation = explain(scene.subject, questionOf(sent));
  const { outcome } = explanation;
  // These are the protocols' own business: no engine ever sees them.
  if (outcome.kind === 'refuse' && outcome.by === 'listener') return 'refuse by listener';
  const live = scene.send(sent);
  const [is, was] = [told(explanation), seen(live, explanation)];
  // Comparing texts is ten times as fast.
  if (JSON.stringify(is) !== JSON.stringify(was)) expect({ sent, ...is }).toEqual({ sent, ...was });
  return outcome.kind === 'refuse' ? `refuse by ${outcome.by}` : outcome.kind;
}
