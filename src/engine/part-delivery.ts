import type { CacheEntry } from '../cache/entry.ts';
import { Fill, type FillPlan } from '../cache/fill.ts';
import { completed, partStorability, type StorablePart } from '../cache/partial.ts';
import { supersede } from '../cache/revalidate.ts';
import { type Served, serveEntry } from '../cache/serve.ts';
import { forwardReport } from '../cache/status.ts';
import type { CacheReport } from '../exchange/outcome.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import type { Caching } from './caching.ts';

/** Where a fill goes to, whatever it brings. */
export type FillDestination = Omit<FillPlan, 'head' | 'verdict' | 'part' | 'altered'>;

/** A part, or what came in its place, from the endpoint. */
export interface PartAnswer {
  readonly head: ResponseHead;
  readonly caching: Caching;
  readonly destination: FillDestination;
}

/** What is made of it. */
export interface PartOutcome {
  /** `null` when it is not stored. */
  readonly fill: Fill | null;
  /** What the client gets in its place; `null` for just that. */
  readonly served: Served | null;
  /** The stored response with what is arriving, which answers others too; `null` where there is only a part. */
  readonly entry: CacheEntry | null;
  readonly report: CacheReport;
}

/** A 206 to the client's own `Range`: for the client, and for those who want some of it later (RFC 9111 §3.3). */
export function takePart(
  { head, caching, destination }: PartAnswer,
  lookup: Exclude<Caching['lookup'], { readonly kind: 'bypass' }>,
): PartOutcome {
  const { request, policy } = caching;
  const { store, times } = destination;
  const part = partStorability(head, { request, byUs: false }, policy, times);
  if (!part.store && lookup.kind === 'revalidate') supersede(store, lookup.entry, head.status);
  const report = forwardReport({ lookup, status: head.status, verdict: part.store ? part.verdict : part });
  return { fill: part.store ? fillOf(part, destination, caching) : null, served: null, entry: null, report };
}

/**
 * The answer to a `Range` of ours, for what was missing of a stored response: the client gets the whole. `null` when it is not what was asked
 * for: then what is stored is not to be trusted, and is dropped; everything has to be asked for.
 */
export function takeRest(
  { head, caching, destination }: PartAnswer,
  lookup: Caching['lookup'] & { readonly kind: 'complete' },
): PartOutcome | null {
  const { request, policy } = caching;
  const { store, times } = destination;
  const part = partStorability(head, { request, byUs: true }, policy, times);
  if (part.store && head.status === 206) {
    const fill = fillOf(part, destination, caching);
    const arriving = { updating: { request, policy, times }, rest: fill.body };
    const entry = completed(lookup.entry, lookup.span, part, arriving);
    if (entry !== null) {
      const served = serveEntry(entry, request, times.receivedAtMs);
      return { fill, served, entry, report: forwardReport({ lookup, status: head.status, verdict: part.verdict }) };
    }
  }
  store.remove(lookup.entry);
  return null;
}

function fillOf(part: StorablePart, destination: FillDestination, { policy }: Caching): Fill {
  return new Fill({ ...destination, head: part.head, verdict: part.verdict, part: { part, policy } });
}
