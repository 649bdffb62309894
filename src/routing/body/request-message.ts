import { getCombined, getHeaders, type HeaderList } from '../../http/headers.ts';
import { type MediaType, parseMediaType } from '../../http/media-type.ts';
import { type GraphqlOperation, operationIn } from './graphql.ts';
import type { JsonDocument } from './json-pointer.ts';
import { type FormField, multipartFields } from './multipart.ts';
import { lenientText, percentDecoded, strictText, xmlText } from './texts.ts';
import { outlineOf, type XmlOutline } from './xml.ts';

/** Why a body does not say what is asked of it. `unread`: nobody has looked yet. */
export type Unsaid = 'unread' | 'too-large' | 'malformed' | 'other-type' | 'encoded';

/** What a request that is not taken as it is asked for is refused with. */
export type MessageRefusal = 'body-too-large-to-match' | 'body-malformed-to-match';

/** What was read of a body. */
export interface BodyPrefix {
  readonly bytes: Uint8Array;
  /** The body ends with them. */
  readonly isWhole: boolean;
}

/** Several at once, or one: `[…]` or `{…}`. */
export interface Batch<T> {
  readonly isBatch: boolean;
  /** `null` for one that is none. */
  readonly items: readonly (T | null)[];
}

export interface FormContent {
  readonly fields: readonly FormField[];
  readonly isWhole: boolean;
}

/**
 * The body of one request as conditions see it. Each reading of it is made when the first condition asks, and kept for the others. It holds what
 * was read and what was made of it, some ten times as much at worst, until the route is found.
 */
export class RequestMessage {
  /** A condition has asked for what was not read: the result of the matching does not count. */
  wanted = false;
  /** A condition that was asked wants the request refused rather than decided without its body. */
  refusal: MessageRefusal | null = null;
  /** Why a condition could not be decided, for the log: the first such reason. */
  note: string | null = null;
  readonly #headers: HeaderList;
  readonly #announcedTooLarge: boolean;
  #prefix: BodyPrefix | null = null;
  #type: MediaType | null | undefined;
  #json: JsonDocument | Unsaid | undefined;
  #form: FormContent | Unsaid | undefined;
  #graphql: Batch<GraphqlOperation> | Unsaid | undefined;
  #xml: XmlOutline | Unsaid | undefined;

  /** `length`: what the sender announces, `null` for nothing. */
  constructor(headers: HeaderList, length: number | null, limitBytes: number) {
    this.#headers = headers;
    this.#announcedTooLarge = length !== null && length > limitBytes;
  }

  /** What it was asked for is here: match again. */
  read(prefix: BodyPrefix): void {
    this.#prefix = prefix;
    this.wanted = false;
  }

  /** Nothing of it will ever be used again but for what was found. */
  forget(): void {
    this.#prefix = null;
    this.#json = this.#form = this.#graphql = this.#xml = undefined;
  }

  json(): JsonDocument | Unsaid {
    if (this.#json !== undefined) return this.#json;
    const bytes = this.#whole(isJson);
    if (bytes === 'unread') return bytes;
    this.#json = typeof bytes === 'string' ? bytes : parseJson(bytes);
    return this.#json;
  }

  /** Fields that stand within the prefix; `isWhole` says whether those are all. */
  form(): FormContent | Unsaid {
    if (this.#form !== undefined) return this.#form;
    const prefix = this.#begun(isForm);
    if (prefix === 'unread') return prefix;
    this.#form = typeof prefix === 'string' ? prefix : this.#fieldsIn(prefix);
    return this.#form;
  }

  graphql(): Batch<GraphqlOperation> | Unsaid {
    if (this.#graphql !== undefined) return this.#graphql;
    const made = this.#typeIs(isGraphql) ? this.#graphqlText() : this.#graphqlJson();
    if (made !== 'unread') this.#graphql = made;
    return made;
  }

  /** The outline of an XML body, decided by its first elements however large it is. */
  xml(): XmlOutline | Unsaid {
    if (this.#xml !== undefined) return this.#xml;
    const prefix = this.#begun(isXml);
    if (prefix === 'unread') return prefix;
    this.#xml = typeof prefix === 'string' ? prefix : this.#outlineIn(prefix);
    return this.#xml;
  }

  /** What was read is not all of it. */
  get isCutShort(): boolean {
    return this.#prefix !== null && !this.#prefix.isWhole;
  }

  #graphqlText(): Batch<GraphqlOperation> | Unsaid {
    const bytes = this.#whole(isGraphql);
    if (typeof bytes === 'string') return bytes;
    const text = strictText(bytes);
    const operation = text === null ? null : operationIn(text, null);
    return operation === null ? 'malformed' : { isBatch: false, items: [operation] };
  }

  #graphqlJson(): Batch<GraphqlOperation> | Unsaid {
    const document = this.json();
    if (typeof document === 'string') return document;
    const { isBatch, items } = batchIn(document, graphqlCall);
    return items.includes(null) ? 'malformed' : { isBatch, items };
  }

  #fieldsIn({ bytes, isWhole }: BodyPrefix): FormContent | Unsaid {
    const type = this.#mediaType();
    if (type?.essence !== 'multipart/form-data') return urlencodedFields(bytes, isWhole);
    const boundary = type.parameters.get('boundary') ?? '';
    // RFC 2046 §5.1.1
    if (boundary === '' || boundary.length > 70) return 'malformed';
    const found = multipartFields(bytes, boundary);
    if (found === null) return isWhole ? 'malformed' : 'too-large';
    return isWhole && !found.isWhole ? 'malformed' : found;
  }

  #outlineIn({ bytes, isWhole }: BodyPrefix): XmlOutline | Unsaid {
    const text = xmlText(bytes, this.#mediaType()?.parameters.get('charset') ?? null);
    const outline = text === null ? 'bad' : outlineOf(text);
    if (typeof outline !== 'string') return outline;
    return outline === 'cut' && !isWhole ? 'too-large' : 'malformed';
  }

  // ---- what there is to be read

  /** All of a body of that type. What is announced as too large, encoded or of another type is not waited for. */
  #whole(isType: (essence: string) => boolean): Uint8Array | Unsaid {
    const obstacle = this.#obstacle(isType);
    if (obstacle !== null) return obstacle;
    if (this.#announcedTooLarge) return 'too-large';
    if (this.#prefix === null) return 'unread';
    return this.#prefix.isWhole ? this.#prefix.bytes : 'too-large';
  }

  #begun(isType: (essence: string) => boolean): BodyPrefix | Unsaid {
    return this.#obstacle(isType) ?? this.#prefix ?? 'unread';
  }

  #obstacle(isType: (essence: string) => boolean): 'other-type' | 'encoded' | null {
    if (!this.#typeIs(isType)) return 'other-type';
    const coding = getCombined(this.#headers, 'content-encoding');
    return coding === null || coding === '' || coding.toLowerCase() === 'identity' ? null : 'encoded';
  }

  #typeIs(isType: (essence: string) => boolean): boolean {
    const type = this.#mediaType();
    return type !== null && isType(type.essence);
  }

  /** Of two types nobody knows which one the endpoint goes by. */
  #mediaType(): MediaType | null {
    if (this.#type !== undefined) return this.#type;
    const [value, another] = getHeaders(this.#headers, 'content-type');
    this.#type = value === undefined || another !== undefined ? null : parseMediaType(value);
    return this.#type;
  }
}

function parseJson(bytes: Uint8Array): JsonDocument | 'malformed' {
  const text = strictText(bytes);
  if (text === null) return 'malformed';
  try {
    return { text, value: JSON.parse(text) as unknown };
  } catch {
    // SyntaxError: not JSON. V8's parser does not recurse.
    return 'malformed';
  }
}

/** What each element of an array says, or the document itself. */
export function batchIn<T>({ value }: JsonDocument, read: (item: unknown) => T | null): Batch<T> {
  return Array.isArray(value) ? { isBatch: true, items: value.map(read) } : { isBatch: false, items: [read(value)] };
}

/** GraphQL over HTTP §5.4. Without a document, which may be named by its hash, there is the operation's name at most. */
function graphqlCall(item: unknown): GraphqlOperation | null {
  if (typeof item !== 'object' || item === null) return null;
  const { query, operationName = null } = item as { query?: unknown; operationName?: unknown };
  const name = operationName === '' ? null : operationName;
  if (name !== null && typeof name !== 'string') return null;
  if (query === undefined || query === null) return { type: null, name, fields: new Set() };
  return typeof query === 'string' ? operationIn(query, name) : null;
}

/** `+` is a blank, and pieces without a name are none (WHATWG URL §5.1). The last field of a beginning may go on behind it. */
function urlencodedFields(bytes: Uint8Array, isWhole: boolean): FormContent {
  const text = lenientText(bytes);
  const pieces = text.split('&');
  if (!isWhole) pieces.pop();
  const fields = pieces.flatMap((piece) => {
    if (piece === '') return [];
    const equals = piece.indexOf('=');
    const [name, value] = equals === -1 ? [piece, ''] : [piece.slice(0, equals), piece.slice(equals + 1)];
    return [{ name: formText(name), value: formText(value) }];
  });
  return { fields, isWhole };
}

/** What has an escape that is none, or bytes that are no UTF-8, is taken as it stands, as with the parameters of a query. */
function formText(raw: string): string {
  const text = raw.replaceAll('+', ' ');
  return text.includes('%') ? (percentDecoded(text) ?? raw) : text;
}

function isJson(essence: string): boolean {
  return (
    essence === 'application/json' ||
    essence === 'application/json-rpc' ||
    essence === 'application/jsonrequest' ||
    essence === 'text/json' ||
    // Messages of gRPC are framed, and come one after the other.
    (essence.endsWith('+json') && essence !== 'application/grpc+json')
  );
}

function isForm(essence: string): boolean {
  return essence === 'application/x-www-form-urlencoded' || essence === 'multipart/form-data';
}

function isGraphql(essence: string): boolean {
  return essence === 'application/graphql';
}

/** RFC 7303 §4.2 */
function isXml(essence: string): boolean {
  return essence === 'text/xml' || essence === 'application/xml' || essence.endsWith('+xml');
}
