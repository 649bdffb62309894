import { withoutBlanks } from './blanks.ts';
import { getHeader, getHeaders, type HeaderList, isNamed } from './headers.ts';

/** Bits of `trace-flags`. A recipient must clear all others (Level 2 §3.2.2.5.3). */
export const SAMPLED = 1;
/** At least the right 7 bytes of the trace id were drawn at random. */
export const RANDOM = 2;

/** What a `traceparent` says: ids in lower-case hexadecimal, 32 and 16 digits, and the flags that are known. */
export interface TraceParent {
  readonly traceId: string;
  readonly parentId: string;
  readonly flags: number;
}

const VERSION_00 = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
/** A higher version may have more after another dash (Level 2 §3.2.4). */
const LATER_VERSION = /^(?!ff|00)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;
const ZERO_TRACE = '0'.repeat(32);
const ZERO_PARENT = '0'.repeat(16);

/**
 * W3C Trace Context Level 2 §3.2: `null` for anything that its grammar does not allow, version `ff`, and ids that are all zero. Of a
 * higher version the part that this one knows is believed.
 */
export function parseTraceparent(value: string): TraceParent | null {
  const parts = VERSION_00.exec(value) ?? LATER_VERSION.exec(value);
  if (parts === null) return null;
  const [, traceId = '', parentId = '', flags = ''] = parts;
  if (traceId === ZERO_TRACE || parentId === ZERO_PARENT) return null;
  return { traceId, parentId, flags: Number.parseInt(flags, 16) & (SAMPLED | RANDOM) };
}

/** The trace that a request belongs to; `null` for none, for an invalid one, and for several: nobody knows which is the right one. */
export function traceparentIn(headers: HeaderList): TraceParent | null {
  let value: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, 'traceparent')) continue;
    if (value !== null) return null;
    value = headers[i + 1] as string;
  }
  return value === null ? null : parseTraceparent(value);
}

/** The field as this version writes it. */
export function formatTraceparent(traceId: string, parentId: string, flags: number): string {
  return `00-${traceId}-${parentId}-0${flags & (SAMPLED | RANDOM)}`;
}

/** Most members of a `tracestate` (§3.3.1.1). With the bounds of keys and values no list is longer than 16 KiB. */
const MAX_MEMBERS = 32;
/** §3.3.1.3. A key begins with a letter or digit; a value has no comma, no `=`, and ends in something visible. */
const MEMBER = /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * All `tracestate` fields as one list; `null` where there is none, where one of its members is malformed, or where there are more than
 * 32: then nothing of it can be relied on. Empty members are left out (§3.3.1.1). Only for a request with a valid `traceparent`.
 */
export function tracestateIn(headers: HeaderList): string | null {
  if (getHeader(headers, 'tracestate') === null) return null;
  const members: string[] = [];
  for (const member of getHeaders(headers, 'tracestate').join(',').split(',')) {
    const text = withoutBlanks(member);
    if (text === '') continue;
    if (members.length === MAX_MEMBERS || !MEMBER.test(text)) return null;
    members.push(text);
  }
  return members.length === 0 ? null : members.join(',');
}
