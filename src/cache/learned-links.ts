import type { ResponseHead } from '../exchange/response-sink.ts';
import { getHeader, type HeaderDraft, type HeaderList } from '../http/headers.ts';
import { linkValues } from '../http/link.ts';
import { type CacheRequest, matchesVary, primaryKey, type VaryField } from './key.ts';
import type { Storable } from './storability.ts';
import type { CacheStore } from './store.ts';

/** What a browser can begin with before it has the page. */
const WORTH_A_HINT = new Set(['preload', 'modulepreload', 'preconnect']);

/** Of one page; what it announces beyond that would compete with what comes first. */
const MOST_LINKS = 16;
const MOST_LINK_BYTES = 2 * 1024;

/** What a page costs beyond its texts, rounded up. */
const PAGE_BYTES = 400;

interface Page {
  readonly links: HeaderList;
  readonly vary: readonly VaryField[];
  readonly tags: string;
  /** The store's, when the page was asked for. */
  readonly epoch: number;
  readonly bytes: number;
}

/** A response that may be stored, and what it answers. */
export interface StorableAnswer {
  readonly request: CacheRequest;
  readonly head: ResponseHead;
  readonly verdict: Storable;
  readonly epoch: number;
}

/**
 * Remembers what pages announced in `Link` when they were stored, for longer than they are stored themselves: so that the next
 * client that has to wait for one can begin with that (RFC 8297). Bounded in bytes; forgets what was not used for longest.
 *
 * Only what is the same for everybody: from responses that may be shared, that vary on neither `Cookie` nor `Authorization`, and for
 * requests that would select the very variant.
 */
export class LearnedLinks {
  readonly #maxBytes: number;
  /** Least recently used first. */
  readonly #pages = new Map<string, Page>();
  #bytes = 0;
  readonly #sent = new Map<string, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get pages(): number {
    return this.#pages.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes over what the newest answer says, be it that there is nothing. */
  learn({ request, head, verdict, epoch }: StorableAnswer): void {
    const key = pageKey(request);
    this.#forget(key);
    const { vary, omit, tags } = verdict;
    if (head.status !== 200 || !isHtml(head.headers) || omit.includes('link') || vary.some(isPersonal)) return;
    const links = hintsOf(head.headers);
    if (links.length === 0) return;
    let bytes = PAGE_BYTES + key.length + tags.length;
    for (const text of links) bytes += text.length;
    this.#pages.set(key, { links, vary, tags, epoch, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes) this.#forget(this.#pages.keys().next().value as string);
  }

  /** `Link` fields to send ahead to `request`; `null` for none. Whatever was invalidated or purged since then is not used. */
  hintsFor(request: CacheRequest, store: CacheStore): HeaderList | null {
    const key = pageKey(request);
    const page = this.#pages.get(key);
    if (page === undefined || !matchesVary(page.vary, request)) return null;
    if (store.invalidatedSince({ key: primaryKey(request), tags: page.tags }, page.epoch)) {
      this.#forget(key);
      return null;
    }
    this.#pages.delete(key);
    this.#pages.set(key, page);
    return page.links;
  }

  sent(route: string): void {
    this.#sent.set(route, (this.#sent.get(route) ?? 0) + 1);
  }

  /** How often hints were sent, by route. */
  /** Forgets the counts of all routes but these. */
  retain(routes: ReadonlySet<string>): void {
    for (const route of this.#sent.keys()) if (!routes.has(route)) this.#sent.delete(route);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#sent;
  }

  #forget(key: string): void {
    const page = this.#pages.get(key);
    if (page === undefined) return;
    this.#pages.delete(key);
    this.#bytes -= page.bytes;
  }
}

/** The links of `headers` that are worth a hint, each as a field of its own; within the bounds for one page. */
export function hintsOf(headers: HeaderList): HeaderDraft {
  const fields: HeaderDraft = [];
  let bytes = 0;
  for (const { text, rels, hasAnchor } of linkValues(headers)) {
    if (hasAnchor || !rels.some((rel) => WORTH_A_HINT.has(rel))) continue;
    bytes += text.length;
    if (fields.length >= 2 * MOST_LINKS || bytes > MOST_LINK_BYTES) break;
    fields.push('Link', text);
  }
  return fields;
}

function pageKey(request: CacheRequest): string {
  return `${primaryKey(request)} ${request.partition}`;
}

function isHtml(headers: HeaderList): boolean {
  const type = getHeader(headers, 'content-type');
  return type !== null && /^text\/html *(;|$)/i.test(type);
}

function isPersonal({ name }: VaryField): boolean {
  return name === 'cookie' || name === 'authorization';
}
