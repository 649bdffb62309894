import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fill } from '../../../src/cache/fill.ts';
import { invalidate } from '../../../src/cache/invalidate.ts';
import { type CacheRequest, type Lookup, lookup } from '../../../src/cache/lookup.ts';
import { settle304, supersede } from '../../../src/cache/revalidate.ts';
import { serveEntry } from '../../../src/cache/serve.ts';
import { storability } from '../../../src/cache/storability.ts';
import type { CacheStore } from '../../../src/cache/store.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { get, ok, policy, SECOND, smallStore, T0, textOf } from './origin.ts';

/** What the origin knows of an answer that it gave; the body is its number. */
interface Given {
  readonly path: string;
  /** The `Foo` it varies on, or `null` when it does not. */
  readonly foo: string | null;
  readonly shareable: boolean;
  /** Moves with each 304. */
  freshUntilMs: number;
  /** Unsafe requests to its path that the origin had carried out when the request for it was looked up. */
  readonly changes: number;
}

/** An exchange on its way. `fill` once the head is here. */
interface Pending {
  readonly request: CacheRequest;
  readonly found: Lookup & { readonly kind: 'miss' | 'revalidate' };
  readonly sentAtMs: number;
  readonly changes: number;
  fill: Fill | null;
}

const ANSWERS: readonly { readonly control: string; readonly shareable: boolean; readonly seconds: number }[] = [
  { control: 'max-age=5', shareable: true, seconds: 5 },
  { control: 'max-age=60', shareable: true, seconds: 60 },
  { control: 'no-cache', shareable: true, seconds: 0 },
  { control: 'private, max-age=60', shareable: false, seconds: 60 },
  { control: 'max-age=60, No-Store', shareable: false, seconds: 60 },
];

/** The cache between clients that ask and an origin that changes, with every step under the test's hand. */
class Scene {
  readonly #store: CacheStore = smallStore(20_000);
  readonly #given: Given[] = [];
  readonly #pending: Pending[] = [];
  readonly #changes = new Map<string, number>();
  #nowMs = T0;
  hits = 0;

  pass(ms: number): void {
    this.#nowMs += ms;
  }

  ask(path: string, foo: string): void {
    const request = get(['Foo', foo], { path });
    const found = lookup(this.#store, request, policy, this.#nowMs);
    if (found.kind === 'hit') {
      this.hits += 1;
      this.#judge(request, textOf(serveEntry(found.entry, request, this.#nowMs).body), true);
      return;
    }
    if (found.kind !== 'miss' && found.kind !== 'revalidate') throw new Error(found.kind);
    this.#pending.push({ request, found, sentAtMs: this.#nowMs, changes: this.#changesOf(path), fill: null });
  }

  /** The head of the answer to the `nth` exchange arrives. */
  answer(nth: number, kind: number, varies: boolean): void {
    const pending = this.#pending[nth % Math.max(1, this.#pending.length)];
    const answer = ANSWERS[kind % ANSWERS.length];
    if (pending === undefined || answer === undefined || pending.fill !== null) return;
    const headers: HeaderList = ['Cache-Control', answer.control, 'ETag', `"${this.#changesOf(pending.request.path)}"`];
    const head = ok(varies ? [...headers, 'Vary', 'Foo'] : headers, this.#nowMs);
    const verdict = storability(pending.request, head, policy, this.#nowMs);
    expect(verdict.store).toBe(answer.shareable);
    const number = this.#given.push({
      path: pending.request.path,
      foo: varies ? (pending.request.headers[1] ?? null) : null,
      shareable: answer.shareable,
      freshUntilMs: this.#nowMs + answer.seconds * SECOND,
      changes: pending.changes,
    });
    if (!verdict.store) {
      if (pending.found.kind === 'revalidate') supersede(this.#store, pending.found.entry, 200);
      this.#drop(pending);
      return;
    }
    const times = { requestedAtMs: this.#nowMs, receivedAtMs: this.#nowMs };
    pending.fill = new Fill({
      store: this.#store,
      request: pending.request,
      head,
      verdict,
      times,
      epoch: pending.found.epoch,
      objectBytes: 1000,
    });
    pending.fill.data(Buffer.from(String(number - 1)));
  }

  /** The origin confirms what the `nth` exchange asks about. */
  confirm(nth: number, control: string): void {
    const pending = this.#pending[nth % Math.max(1, this.#pending.length)];
    if (pending === undefined || pending.fill !== null || pending.found.kind !== 'revalidate') return;
    const times = { requestedAtMs: this.#nowMs, receivedAtMs: this.#nowMs };
    const head = { status: 304, headers: ['Cache-Control', control] };
    const { request, found } = pending;
    const validation = { request, head, policy, times, epoch: found.epoch };
    const settled = settle304(this.#store, found.entry, validation);
    if (settled.kind !== 'confirmed') throw new Error(settled.kind);
    const body = textOf(settled.serve.body);
    this.#judge(pending.request, body, false);
    const given = this.#given[Number(body)];
    if (settled.stored && given !== undefined) given.freshUntilMs = this.#nowMs + 5 * SECOND;
    expect(settled.stored && control === 'private').toBe(false);
    this.#drop(pending);
  }

  finish(nth: number, cleanly: boolean): void {
    const pending = this.#pending[nth % Math.max(1, this.#pending.length)];
    if (pending === undefined || pending.fill === null) return;
    if (cleanly) pending.fill.end(null);
    else pending.fill.abort();
    this.#drop(pending);
  }

  change(path: string): void {
    this.#changes.set(path, this.#changesOf(path) + 1);
    invalidate(this.#store, get([], { path, method: 'POST' }), { status: 204, headers: [] });
  }

  #judge(request: CacheRequest, body: string | null, fromStore: boolean): void {
    const given = this.#given[Number(body)];
    if (given === undefined) throw new Error(`The origin never sent ${body}`);
    expect(given.shareable).toBe(true);
    expect(given.path).toBe(request.path);
    if (given.foo !== null) expect(given.foo).toBe(request.headers[1]);
    if (!fromStore) return;
    expect(given.freshUntilMs).toBeGreaterThan(this.#nowMs);
    expect(given.changes).toBe(this.#changesOf(request.path));
  }

  #changesOf(path: string): number {
    return this.#changes.get(path) ?? 0;
  }

  #drop(pending: Pending): void {
    this.#pending.splice(this.#pending.indexOf(pending), 1);
  }
}

const path = fc.constantFrom('/1', '/2');
const foo = fc.constantFrom('x', 'y');
const nth = fc.nat({ max: 5 });
const step: fc.Arbitrary<(scene: Scene) => void> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(path, foo).map(
      ([p, f]) =>
        (scene: Scene) =>
          scene.ask(p, f),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(nth, nth, fc.boolean()).map(
      ([n, k, v]) =>
        (scene: Scene) =>
          scene.answer(n, k, v),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(nth, fc.boolean()).map(
      ([n, c]) =>
        (scene: Scene) =>
          scene.finish(n, c),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(nth, fc.constantFrom('max-age=5', 'private')).map(
      ([n, c]) =>
        (scene: Scene) =>
          scene.confirm(n, c),
    ),
  },
  { weight: 1, arbitrary: path.map((p) => (scene: Scene) => scene.change(p)) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 8 }).map((s) => (scene: Scene) => scene.pass(s * SECOND)) },
);

test('whatever happens in whatever order, a hit is shareable, fresh, for this request, and not older than the last change (property)', () => {
  let hits = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 120, size: 'max' }), (steps) => {
      const scene = new Scene();
      for (const each of steps) each(scene);
      hits += scene.hits;
    }),
    { numRuns: 1500 },
  );
  // A property of hits that never saw one would prove nothing.
  expect(hits).toBeGreaterThan(500);
});
