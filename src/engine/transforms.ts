import type { GatewayError } from '../errors.ts';
import type { BodySink } from '../exchange/body.ts';
import { getCombined, getHeader, type HeaderDraft, type HeaderList } from '../http/headers.ts';
import type { BodyFilter, BodyTransform } from '../policy/body-transform.ts';
import { alteredTrailers } from '../policy/representation.ts';
import type { Caching } from './caching.ts';
import type { Progress } from './progress.ts';

/** What policies make of an answer. */
export interface TransformedAnswer {
  readonly head: { readonly status: number; readonly headers: HeaderDraft };
  /** Each puts itself before the next; `null`: the body stays as it is. */
  readonly through: readonly ((into: BodySink) => BodyFilter)[] | null;
  /** The tag that the endpoint gave it; `null` for none. */
  readonly endpointTag: string | null;
}

/** The head of `head` behind all of `transforms`; `null` where they leave it as it is. Whatever is in `through` must be used, and stopped. */
export function transformAnswer(
  progress: Progress,
  transforms: readonly BodyTransform[],
  { head, caching }: { readonly head: TransformedAnswer['head']; readonly caching: Caching | null },
): TransformedAnswer | null {
  const facts = {
    hasBody: progress.request.method !== 'HEAD',
    acceptEncoding: getCombined(fieldsOf(progress, caching), 'accept-encoding'),
    ifNoneMatch: head.status === 304 ? conditionOf(progress, caching) : null,
  };
  const through: ((into: BodySink) => BodyFilter)[] = [];
  let current = head;
  for (const transform of transforms) {
    const made = transform.transform(current, progress, facts);
    if (made === null) continue;
    current = made.head;
    if (made.through !== null) through.push(made.through);
  }
  if (current === head) return null;
  const endpointTag = getHeader(head.headers, 'etag');
  return { head: current, through: through.length === 0 ? null : through, endpointTag };
}

/** Where the answer may be stored, it has to be what the variant is selected by, whatever else the client accepts. */
function fieldsOf(progress: Progress, caching: Caching | null): HeaderList {
  return caching === null ? progress.request.headers : caching.request.headers;
}

/** What a 304 is the answer to, if it is the client's. */
function conditionOf({ request }: Progress, caching: Caching | null): string | null {
  const isOurs = caching !== null && 'conditional' in caching.lookup;
  return isOurs ? null : getCombined(request.headers, 'if-none-match');
}

/** Where a transformed body goes to in the end. */
export interface TransformedBodyOwner {
  give(chunk: Uint8Array): boolean;
  giveEnd(trailers: HeaderList | null): void;
  /** It can't be transformed any further: a failure of ours. */
  transformFailed(cause: GatewayError): void;
  /** Something threw, outside of any call that the owner has made. */
  transformBroke(bug: unknown): void;
}

/** A body on its way through all that policies make of it. Over when its end has come out, when something fails, or when it is stopped. */
export class TransformedBody implements BodySink {
  /** Set by the feeder. */
  onDrain: (() => void) | null = null;
  readonly #filters: readonly BodyFilter[];
  readonly #first: BodyFilter;
  readonly #last: LastSink;

  constructor(through: readonly ((into: BodySink) => BodyFilter)[], owner: TransformedBodyOwner) {
    const last = new LastSink(owner, () => this.stop());
    const filters: BodyFilter[] = [];
    let into: BodySink = last;
    for (const make of through.toReversed()) {
      const filter = make(into);
      filters.unshift(filter);
      into = filter;
    }
    const [first] = filters;
    if (first === undefined) throw new Error('Cannot transform a body by nothing');
    this.#filters = filters;
    this.#first = first;
    this.#last = last;
    const drained = (): void => this.onDrain?.();
    first.onDrain = drained;
  }

  get isOver(): boolean {
    return this.#last.isOver;
  }

  /** Whoever takes what comes out takes more. */
  drained(): void {
    this.#last.onDrain?.();
  }

  data(chunk: Uint8Array): boolean {
    return this.#first.data(chunk);
  }

  end(trailers: HeaderList | null): void {
    this.#first.end(alteredTrailers(trailers));
  }

  fail(cause: GatewayError): void {
    this.#first.fail(cause);
  }

  /** Nothing more comes out. Idempotent. */
  stop(): void {
    this.#last.isOver = true;
    for (const filter of this.#filters) filter.stop();
  }
}

/** Filters work in callbacks of their own, in which nothing may throw. */
class LastSink implements BodySink {
  onDrain: (() => void) | null = null;
  isOver = false;
  readonly #owner: TransformedBodyOwner;
  readonly #stop: () => void;

  constructor(owner: TransformedBodyOwner, stop: () => void) {
    this.#owner = owner;
    this.#stop = stop;
  }

  data(chunk: Uint8Array): boolean {
    if (this.isOver) return true;
    try {
      return this.#owner.give(chunk);
    } catch (bug) {
      this.#broke(bug);
      return true;
    }
  }

  end(trailers: HeaderList | null): void {
    if (this.isOver) return;
    this.isOver = true;
    try {
      this.#owner.giveEnd(trailers);
    } catch (bug) {
      this.#broke(bug);
    }
  }

  fail(cause: GatewayError): void {
    if (this.isOver) return;
    this.#stop();
    this.#owner.transformFailed(cause);
  }

  #broke(bug: unknown): void {
    this.#stop();
    this.#owner.transformBroke(bug);
  }
}
