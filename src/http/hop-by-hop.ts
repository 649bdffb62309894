import { isClientCertField } from './client-cert.ts';
import type { HeaderDraft, HeaderList } from './headers.ts';
import { sliceTrimmed } from './octets.ts';

// A client may name any field in `Connection`, and an intermediary has to remove it (RFC 9110 §7.6.1). Not these: the
// gateway has framed, routed, authorised or cached by them, so removing one would show the endpoint another request than
// the one that was decided upon. They are meant for every recipient, and a sender MUST NOT name such a field.
const neverNominated: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'authorization',
  'cookie',
  'origin',
  'range',
  'cache-control',
  'via',
  'forwarded',
  'x-real-ip',
  'set-cookie',
  'vary',
  'date',
  'age',
  'expires',
]);

/**
 * The request's end-to-end fields as a new draft, order, case and repeats kept (RFC 9110 §7.6.1). Gone are Connection and
 * the fields it names, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade, Trailer, HTTP2-Settings;
 * Client-Cert and Client-Cert-Chain, which no client may say of itself (RFC 9440 §2.4); Proxy-Authorization, meant for us; Expect, answered by us; and TE, but a client that takes trailers is still said to:
 * exactly one `TE: trailers` then stands where its first such field did (§10.1.4; gRPC servers insist on it).
 *
 * A name in Connection is ignored when it is Host, Content-Length, `X-Forwarded-*` or another of `neverNominated`.
 * Hot: one pass; a field whose length matches none of these names costs a switch, and nothing but the draft is allocated.
 */
export function requestEndToEnd(headers: HeaderList): HeaderDraft {
  const draft: HeaderDraft = [];
  let named: Set<string> | null = null;
  let takesTrailers = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (!isRequestHop(name)) {
      draft.push(name, value);
    } else if (name.length === 10 && isConnection(name)) {
      named = nominate(value, named);
    } else if (name.length === 2 && !takesTrailers && listsTrailers(value)) {
      takesTrailers = true;
      draft.push('TE', 'trailers');
    }
  }
  if (named !== null) removeNominated(draft, named);
  return draft;
}

/**
 * The same for a response, whose hop-by-hop fields are Proxy-Authenticate and Proxy-Authentication-Info (RFC 9110 §11.7)
 * instead of those of a request. `Trailer` goes too: whoever frames the response announces the trailers it will send.
 */
export function responseEndToEnd(headers: HeaderList): HeaderDraft {
  const draft: HeaderDraft = [];
  let named: Set<string> | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (!isResponseHop(name)) {
      draft.push(name, value);
    } else if (name.length === 10 && isConnection(name)) {
      named = nominate(value, named);
    }
  }
  if (named !== null) removeNominated(draft, named);
  return draft;
}

// By length first: lower-casing every name would cost an allocation for most of them.
function isRequestHop(name: string): boolean {
  switch (name.length) {
    case 2:
      return name.toLowerCase() === 'te';
    case 6:
      return name.toLowerCase() === 'expect';
    case 11:
      return isClientCertField(name);
    case 17:
      return isHop(name) || isClientCertField(name);
    case 19:
      return name.toLowerCase() === 'proxy-authorization';
    default:
      return isHop(name);
  }
}

function isResponseHop(name: string): boolean {
  switch (name.length) {
    case 2:
      return name.toLowerCase() === 'te';
    case 18:
      return name.toLowerCase() === 'proxy-authenticate';
    case 25:
      return name.toLowerCase() === 'proxy-authentication-info';
    default:
      return isHop(name);
  }
}

function isHop(name: string): boolean {
  switch (name.length) {
    case 7: {
      const lower = name.toLowerCase();
      return lower === 'upgrade' || lower === 'trailer';
    }
    case 10: {
      const lower = name.toLowerCase();
      return lower === 'connection' || lower === 'keep-alive';
    }
    case 14:
      return name.toLowerCase() === 'http2-settings';
    case 16:
      return name.toLowerCase() === 'proxy-connection';
    case 17:
      return name.toLowerCase() === 'transfer-encoding';
    default:
      return false;
  }
}

/** Tells Connection from Keep-Alive, the other hop-by-hop name of ten letters. */
function isConnection(name: string): boolean {
  return (name.charCodeAt(0) | 0x20) === 0x63;
}

/** Adds the fields that a Connection value names to `named`, which is created when there is a first one. */
function nominate(value: string, named: Set<string> | null): Set<string> | null {
  // What nearly every client and endpoint sends names no field.
  if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive' || value === 'Upgrade') return named;
  let all = named;
  for (let start = 0, comma = 0; start <= value.length; start = comma + 1) {
    comma = value.indexOf(',', start);
    if (comma === -1) comma = value.length;
    const option = sliceTrimmed(value, start, comma).toLowerCase();
    // `TE` goes with the field that was replaced above; a `close` or `keep-alive` among others names no field either.
    if (option === '' || option === 'te' || option === 'close' || option === 'keep-alive') continue;
    if (neverNominated.has(option) || option.startsWith('x-forwarded-')) continue;
    all ??= new Set();
    all.add(option);
  }
  return all;
}

/** Does `Connection` keep the field `lower` from the next recipient? */
export function isNominated(headers: HeaderList, lower: string): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length !== 10 || !isConnection(name) || name.toLowerCase() !== 'connection') continue;
    if (nominate(headers[i + 1] as string, null)?.has(lower) === true) return true;
  }
  return false;
}

function removeNominated(draft: HeaderDraft, named: ReadonlySet<string>): void {
  let kept = 0;
  for (let i = 0; i < draft.length; i += 2) {
    const name = draft[i] as string;
    if (named.has(name.toLowerCase())) continue;
    draft[kept] = name;
    draft[kept + 1] = draft[i + 1] as string;
    kept += 2;
  }
  draft.length = kept;
}

/** `trailers` is the one member of TE without weight or parameters (RFC 9110 §10.1.4). */
function listsTrailers(value: string): boolean {
  if (value === 'trailers') return true;
  return value.split(',').some((member) => sliceTrimmed(member, 0, member.length).toLowerCase() === 'trailers');
}
