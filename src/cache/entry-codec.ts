import type { HeaderList } from '../http/headers.ts';
import type { CacheEntry } from './entry.ts';
import type { VaryField } from './key.ts';

/** Everything of an entry that is written down: all but its body, and what is reckoned from where the body is or holds for this life of the store alone. */
export type EntryHead = Omit<CacheEntry, 'body' | 'bytes' | 'offered' | 'comparedAt' | 'used' | 'hash' | 'served'>;

type Check<T> = (value: unknown) => value is T;

/**
 * One check for each field, so that a new field of `CacheEntry` does not compile until somebody has said how it is read. Their names
 * are part of the format: an entry that was written with others is of another version.
 */
const checks: { readonly [Name in keyof EntryHead]-?: Check<EntryHead[Name]> } = {
  key: isString,
  partition: isString,
  vary: isVary,
  status: isStatus,
  headers: isHeaderList,
  // Parts stay in memory.
  parts: isNothing,
  receivedAtMs: isNumber,
  dateMs: isNumber,
  initialAgeMs: isLength,
  freshMs: isLength,
  validateAlways: isBoolean,
  mustRevalidate: isBoolean,
  immutable: isBoolean,
  staleWhileRevalidateMs: isLength,
  staleIfErrorMs: isLength,
  etag: isText,
  endpointTag: isText,
  altered: isBoolean,
  lastModifiedMs: isInstant,
  hasSetCookie: isBoolean,
  tags: isString,
};

const names = Object.keys(checks) as readonly (keyof EntryHead)[];

/** Names the fields that this version writes; not equal for two versions that could misunderstand each other. */
export const headFormat = names.join(' ');

/** The head as text, or `null` for one that would not be read again. */
export function encodeHead(entry: CacheEntry): string | null {
  const values: unknown[] = [];
  for (const name of names) {
    if (!checks[name](entry[name])) return null;
    values.push(entry[name]);
  }
  return JSON.stringify(values);
}

/** `null` for what `encodeHead` did not write. Whatever `text` is, it never throws. */
export function decodeHead(text: string): EntryHead | null {
  const values = parse(text);
  if (!Array.isArray(values) || values.length !== names.length) return null;
  const head: Record<string, unknown> = {};
  for (const [index, name] of names.entries()) {
    if (!checks[name](values[index])) return null;
    head[name] = values[index];
  }
  // Every name was checked above.
  return head as unknown as EntryHead;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON: SyntaxError.
    return null;
  }
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isNothing(value: unknown): value is null {
  return value === null;
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

/** JSON has no other numbers than finite ones. */
function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isLength(value: unknown): value is number {
  return isNumber(value) && value >= 0;
}

function isStatus(value: unknown): value is number {
  return isNumber(value) && Number.isInteger(value) && value >= 200 && value <= 599;
}

function isText(value: unknown): value is string | null {
  return value === null || isString(value);
}

function isInstant(value: unknown): value is number | null {
  return value === null || isNumber(value);
}

function isHeaderList(value: unknown): value is HeaderList {
  return Array.isArray(value) && value.length % 2 === 0 && value.every(isString);
}

function isVary(value: unknown): value is readonly VaryField[] {
  return Array.isArray(value) && value.every(isVaryField);
}

function isVaryField(value: unknown): value is VaryField {
  if (typeof value !== 'object' || value === null) return false;
  const { name, raw, normalised } = value as Partial<Record<keyof VaryField, unknown>>;
  return isString(name) && isText(raw) && isText(normalised);
}
