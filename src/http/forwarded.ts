import { forwardedElements } from './forwarded-elements.ts';
import { getCombined, type HeaderDraft, type HeaderList, isNamed } from './headers.ts';
import { isToken } from './method.ts';
import { isOws } from './octets.ts';

/** Stands for the peer's address on a Unix socket, as nginx and HAProxy write it. */
export const UNIX_PEER = 'unix:';

export interface Forwarding {
  /** Address of the peer, canonical text, IPv6 without brackets; `UNIX_PEER`, or empty when it is not known. */
  readonly peer: string;
  /** The peer is a trusted proxy: what it says of its own client is believed and extended. */
  readonly trusted: boolean;
  /** Which of the two lists a trusted peer writes. The other may be a client's own words that it only passed on. */
  readonly forwardedBy: 'x-forwarded-for' | 'forwarded';
  /** The client's address as it was found in that list; the peer's when there was none. */
  readonly client: string;
  readonly scheme: 'http' | 'https';
  /** As the client sent it, with port if any; empty when it sent none. */
  readonly authority: string;
  readonly localPort: number;
  /** The fields as received, before any edit: where a trusted proxy's statements are read. */
  readonly received: HeaderList;
}

/**
 * Tells the endpoint who asked: `X-Forwarded-For`, `-Proto`, `-Host`, `-Port` and `Forwarded` (RFC 7239), one line each, at
 * the end of `draft`. A trusted peer's list is extended by the peer, the list that it does not write is made anew of the
 * client found in the other, and what the peer says of scheme, host and port is kept: in `X-Forwarded-*` fields, or with
 * `Forwarded` in its own element there, the last one. If it names a scheme but no port, the port is that of its host or scheme,
 * not ours. Everybody else's are replaced.
 * A peer without an IP address adds nothing to `X-Forwarded-For`, and is `unknown` in `Forwarded` (RFC 7239 §6.2).
 *
 * An untrusted client's `X-Real-IP` and other `X-Forwarded-*` fields are removed too, as far as `draft` still has them as
 * received: a route's own `X-Forwarded-Prefix` stays. (Where edits come before this call, a client that sends the very
 * value which an edit sets gets the edited field removed; `removeSpoofed` before the edits avoids that.)
 */
export function appendForwarding(draft: HeaderDraft, f: Forwarding): void {
  removeStale(draft, f);
  const { chain, elements, scheme, host: saidHost, port } = saidBy(f);
  const host = saidHost ?? f.authority;
  const element = forwardedElement(f);
  if (!isAddress(f.peer)) {
    if (chain !== null) draft.push('X-Forwarded-For', chain);
  } else draft.push('X-Forwarded-For', chain === null ? f.peer : `${chain}, ${f.peer}`);
  draft.push('X-Forwarded-Proto', scheme ?? f.scheme);
  if (host !== '') draft.push('X-Forwarded-Host', host);
  draft.push('X-Forwarded-Port', port ?? portFor(scheme, host, f.localPort));
  draft.push('Forwarded', elements === null ? element : `${elements}, ${element}`);
}

/** What a trusted peer says; `null` for what it does not. */
interface Said {
  /** X-Forwarded-For and Forwarded before the peer adds to them. */
  readonly chain: string | null;
  readonly elements: string | null;
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: string | null;
}

const nothing: Said = { chain: null, elements: null, scheme: null, host: null, port: null };

function saidBy(f: Forwarding): Said {
  if (!f.trusted) return nothing;
  const named = f.client === f.peer ? null : f.client;
  if (f.forwardedBy === 'forwarded') {
    const elements = getCombined(f.received, 'forwarded');
    return { ...nothing, chain: named, elements, ...lastElement(elements) };
  }
  return {
    chain: getCombined(f.received, 'x-forwarded-for'),
    elements: named === null ? null : `for=${nodeOf(named)}`,
    scheme: getCombined(f.received, 'x-forwarded-proto'),
    host: getCombined(f.received, 'x-forwarded-host'),
    port: getCombined(f.received, 'x-forwarded-port'),
  };
}

/**
 * How the client's own request was addressed, by what a trusted peer says: of a list of several hops the first counts, who stood nearest to
 * the client. `null` for what it does not say.
 */
export function askedAs(
  received: HeaderList,
  forwardedBy: Forwarding['forwardedBy'],
): { readonly scheme: string | null; readonly host: string | null } {
  if (forwardedBy === 'forwarded') return lastElement(getCombined(received, 'forwarded'));
  const scheme = firstOf(getCombined(received, 'x-forwarded-proto'))?.toLowerCase();
  return {
    scheme: scheme === 'http' || scheme === 'https' ? scheme : null,
    host: firstOf(getCombined(received, 'x-forwarded-host')),
  };
}

function firstOf(list: string | null): string | null {
  const first = list?.split(',', 1)[0]?.trim() ?? '';
  return first === '' ? null : first;
}

/** How the peer itself was asked: it appended the last element (RFC 7239 §4). */
function lastElement(field: string | null): { readonly scheme: string | null; readonly host: string | null } {
  const last = field === null ? undefined : forwardedElements(field).at(-1);
  const scheme = last?.proto.toLowerCase();
  return {
    scheme: scheme === 'http' || scheme === 'https' ? scheme : null,
    host: last === undefined || last.host === '' ? null : last.host,
  };
}

/** The scheme that a trusted peer says it was asked by; `null` where it does not say. */
export function saidScheme(headers: HeaderList, forwardedBy: Forwarding['forwardedBy']): 'http' | 'https' | null {
  if (forwardedBy === 'forwarded') {
    const { scheme } = lastElement(getCombined(headers, 'forwarded'));
    return scheme === 'http' || scheme === 'https' ? scheme : null;
  }
  // The nearest proxy appends, where it does not replace.
  const said = getCombined(headers, 'x-forwarded-proto')?.split(',').at(-1)?.trim().toLowerCase();
  return said === 'http' || said === 'https' ? said : null;
}

/**
 * Removes every forwarding field that only a trusted proxy may send: `Forwarded`, `X-Forwarded-*`, `X-Real-IP`, and the mark of a
 * copy: an endpoint that spares a copy what costs money would do so for whoever asks.
 */
export function removeSpoofed(draft: HeaderDraft): void {
  let kept = 0;
  for (let i = 0; i < draft.length; i += 2) {
    const name = draft[i] as string;
    if (isForwardingName(name)) continue;
    if (kept < i) {
      draft[kept] = name;
      draft[kept + 1] = draft[i + 1] as string;
    }
    kept += 2;
  }
  if (kept < draft.length) draft.length = kept;
}

/**
 * What a trusted proxy says of a request: its `X-Forwarded-*` lines but for `-For`, which is about the client, and scheme and
 * host in `Forwarded` where that is what is believed; empty when there are none. They go to the endpoint, so two requests that
 * differ in them are not the same request.
 */
export function forwardedFacts(headers: HeaderList, forwardedBy: Forwarding['forwardedBy']): string {
  let facts = '';
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!isForwardingName(name) || (name.charCodeAt(0) | 0x20) === 0x66) continue;
    if (isNamed(name, 'x-forwarded-for') || isNamed(name, 'x-real-ip')) continue;
    facts += ` ${name.toLowerCase()}:${headers[i + 1]}`;
  }
  if (forwardedBy !== 'forwarded') return facts;
  const { scheme, host } = lastElement(getCombined(headers, 'forwarded'));
  return scheme === null && host === null ? facts : `${facts} forwarded:${scheme}:${host}`;
}

export function isForwardingName(name: string): boolean {
  // Nine characters are the shortest of them; most names are ruled out by the first letter.
  if (name.length < 9) return false;
  const first = name.charCodeAt(0) | 0x20;
  if (first === 0x66) return isNamed(name, 'forwarded');
  if (first !== 0x78) return false;
  return (
    isNamed(name, 'x-real-ip') ||
    name.slice(0, 12).toLowerCase() === 'x-forwarded-' ||
    isNamed(name, 'x-headgate-mirror')
  );
}

/** Removes the five fields that are about to be written anew, and what an untrusted client sent of the others. */
function removeStale(draft: HeaderDraft, f: Forwarding): void {
  let kept = 0;
  for (let i = 0; i < draft.length; i += 2) {
    const name = draft[i] as string;
    const value = draft[i + 1] as string;
    if (isForwardingName(name)) {
      const lower = name.toLowerCase();
      if (isReplaced(lower) || (!f.trusted && hasLine(f.received, lower, value))) continue;
    }
    if (kept < i) {
      draft[kept] = name;
      draft[kept + 1] = value;
    }
    kept += 2;
  }
  if (kept < draft.length) draft.length = kept;
}

function hasLine(headers: HeaderList, lower: string, value: string): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i + 1] === value && isNamed(headers[i] as string, lower)) return true;
  }
  return false;
}

function isReplaced(lower: string): boolean {
  switch (lower) {
    case 'forwarded':
    case 'x-forwarded-for':
    case 'x-forwarded-proto':
    case 'x-forwarded-host':
    case 'x-forwarded-port':
      return true;
    default:
      return false;
  }
}

/** `claimed` is a trusted proxy's scheme. Behind it our own port says nothing of the one the client used. */
function portFor(claimed: string | null, host: string, localPort: number): string {
  if (claimed === null) return String(localPort);
  const port = /:(\d{1,5})$/.exec(host)?.[1];
  if (port !== undefined) return port;
  return claimed.toLowerCase().startsWith('https') ? '443' : '80';
}

function isAddress(peer: string): boolean {
  return peer !== UNIX_PEER && peer !== '';
}

/** One `forwarded-element` (RFC 7239 §4). */
function forwardedElement(f: Forwarding): string {
  const host = f.authority === '' ? '' : `;host=${tokenOrQuoted(f.authority)}`;
  return `for=${nodeOf(f.peer)}${host};proto=${f.scheme}`;
}

/** §6: an IPv6 address stands in brackets, and since neither `[` nor `:` is a token character, in quotes. */
function nodeOf(address: string): string {
  if (!isAddress(address)) return 'unknown';
  return address.includes(':') ? `"[${address}]"` : address;
}

function tokenOrQuoted(text: string): string {
  if (isToken(text)) return text;
  // A host with a port, mostly: there is nothing to escape in it, which is seen faster than replaced.
  return text.includes('"') || text.includes('\\') ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}

/** Adds our entry to Via as a line of its own, which means the same as a longer list (RFC 9110 §5.3, §7.6.3). */
export function appendVia(draft: HeaderDraft, receivedVersion: '1.0' | '1.1' | '2', pseudonym = 'headgate'): void {
  draft.push('Via', `${receivedVersion === '2' ? '2.0' : receivedVersion} ${pseudonym}`);
}

/**
 * How many entries of all Via lists were received by `pseudonym`, compared without case. Comments are skipped, nested and
 * with escapes. Free when there is no Via.
 */
export function countVia(headers: HeaderList, pseudonym: string): number {
  let count = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i] as string, 'via')) count += countEntries(headers[i + 1] as string, pseudonym.toLowerCase());
  }
  return count;
}

function countEntries(list: string, lower: string): number {
  let count = 0;
  for (const entry of withoutComments(list).split(',')) {
    // received-protocol RWS received-by
    if (
      entry
        .trim()
        .split(/[ \t]+/)[1]
        ?.toLowerCase() === lower
    )
      count += 1;
  }
  return count;
}

/**
 * A comment may hold commas and names (RFC 9110 §5.6.5), so it goes before the list is split. One that is never closed
 * hides nothing: the rest is read as it stands, which also keeps this linear.
 */
function withoutComments(list: string): string {
  let text = '';
  let copied = 0;
  for (let i = list.indexOf('('); i !== -1; i = list.indexOf('(', i + 1)) {
    if (!followsSpace(list, i)) continue;
    const end = endOfComment(list, i);
    if (end === -1) break;
    text += list.slice(copied, i);
    copied = end + 1;
    i = end;
  }
  return text + list.slice(copied);
}

function followsSpace(list: string, at: number): boolean {
  return at > 0 && isOws(list.charCodeAt(at - 1));
}

/** Index of the parenthesis that closes the one at `start`, or -1. */
function endOfComment(list: string, start: number): number {
  let depth = 0;
  for (let i = start; i < list.length; i += 1) {
    if (list[i] === '\\') i += 1;
    else if (list[i] === '(') depth += 1;
    else if (list[i] === ')') {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return -1;
}
