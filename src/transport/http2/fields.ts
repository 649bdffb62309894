import type { Attempt } from '../../exchange/attempt.ts';
import { type HeaderDraft, type HeaderList, noHeaders } from '../../http/headers.ts';
import { breaksField, isConnectionSpecific } from '../../http/http2-fields.ts';

const COLON = 0x3a;

/**
 * The field list of a request (RFC 9113 §8.3.1): pseudo fields first, `:authority` from Host, names in lower case, order and
 * repeats kept. A tunnel is asked for by an extended CONNECT (RFC 8441 §4), without the key of the HTTP/1.1 handshake. What
 * describes a connection is left out (§8.2.2). `null` for a field that would break the list.
 */
export function requestFields(attempt: Attempt, headers: HeaderList): string[] | null {
  const { method, target, destination, upgrade } = attempt;
  const fields: string[] =
    upgrade === null ? [':method', method] : [':method', 'CONNECT', ':protocol', upgrade.toLowerCase()];
  fields.push(':scheme', destination.tls === null ? 'http' : 'https', ':path', target);
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    if (breaksField(name) || breaksField(value)) return null;
    if (name === 'host') fields.push(':authority', value);
    else if (upgrade === null ? !isConnectionSpecific(name, value) : !isHandshake(name, value))
      fields.push(name, value);
  }
  return fields;
}

/** What Node heard, `[name, value, …]` with pseudo fields, without them. */
export function withoutPseudo(raw: HeaderList): HeaderList {
  if (raw.length === 0) return noHeaders;
  const fields: HeaderDraft = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.charCodeAt(0) !== COLON) fields.push(name, raw[i + 1] as string);
  }
  return fields;
}

/** Bytes of names and values. */
export function fieldBytes(fields: HeaderList): number {
  let bytes = 0;
  for (const part of fields) bytes += part.length;
  return bytes;
}

function isHandshake(name: string, value: string): boolean {
  // RFC 8441 §5; an extended CONNECT has no body of its own, only a tunnel.
  return name === 'sec-websocket-key' || name === 'content-length' || isConnectionSpecific(name, value);
}
