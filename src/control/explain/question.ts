import { closest, didYouMean } from '../../config/suggest.ts';
import type { HeaderList } from '../../http/headers.ts';
import { isToken } from '../../http/method.ts';
import { isValidAuthority, splitTarget } from '../../http/target.ts';
import { parseNetwork } from '../../routing/client-list.ts';

/** A request to be explained. */
export interface Question {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** Of the URL: where the client connects to. */
  readonly authority: string;
  /** As it would be sent: nothing in it is resolved, decoded or encoded, unlike in a URL of the platform. Without a fragment. */
  readonly target: string;
  /** Without `Host`, unless another one is to be sent than the URL's. */
  readonly headers: HeaderList;
  /** Effective client address, however it was found: trusted proxies have been believed already. */
  readonly client: string;
  /** `null`: the one that fits the URL. */
  readonly listener: string | null;
  /** TLS server name; `null`: the URL's host. */
  readonly serverName: string | null;
  /** A certificate that the client has shown, and that verifies. */
  readonly certificate: AskedCertificate | null;
  /** What the request's body says, sent as UTF-8; `null` where nobody knows. */
  readonly body: string | null;
  /** Bytes of it. */
  readonly bodyBytes: number;
}

export interface AskedCertificate {
  readonly subject: string;
  readonly names: readonly string[];
  readonly fingerprint: string;
}

/** The same as a person or a program writes it. A header may have several values. */
export interface QuestionInput {
  readonly method?: string | undefined;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly client?: string | undefined;
  readonly listener?: string | undefined;
  readonly sni?: string | undefined;
  readonly certificate?:
    | {
        readonly subject?: string | undefined;
        readonly san?: readonly string[] | undefined;
        readonly fingerprint?: string | undefined;
      }
    | undefined;
  readonly body?: string | undefined;
  /** Without a word on what it says. */
  readonly bodyBytes?: number | undefined;
}

export interface QuestionProblem {
  /** JSON pointer (RFC 6901) to what is wrong; empty for the question as a whole. */
  readonly pointer: string;
  /** Without a full stop, the offending text in “quotes”. */
  readonly message: string;
}

export type QuestionResult =
  | { readonly ok: true; readonly question: Question }
  | ({ readonly ok: false } & QuestionProblem);

const KEYS = ['method', 'url', 'headers', 'client', 'listener', 'sni', 'certificate', 'body', 'bodyBytes'];

/** Understands data from outside, `QuestionInput` if all is well. Never throws. */
export function readQuestion(input: unknown): QuestionResult {
  if (!isMap(input)) return wrong('', 'a question is an object: { "method": "GET", "url": "https://…" }');
  const unknown = Object.keys(input).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    const near = closest(unknown, KEYS);
    return wrong(`/${escaped(unknown)}`, `unknown key “${unknown}”${near === null ? '' : `; ${didYouMean(near)}`}`);
  }
  const { method = 'GET', body = null, bodyBytes = 0 } = input;
  if (typeof method !== 'string' || !isToken(method)) return wrong('/method', `${shown(method)} is not a method`);
  const place = readUrl(input['url'], method);
  if ('message' in place) return wrong('/url', place.message);
  const headers = readHeaders(input['headers'] ?? {});
  if (!Array.isArray(headers)) return headers as QuestionResult;
  const texts = readTexts(input);
  if ('ok' in texts) return texts;
  if (body !== null && typeof body !== 'string') return wrong('/body', `${shown(body)} is not a text`);
  if (!Number.isSafeInteger(bodyBytes) || (bodyBytes as number) < 0) {
    return wrong('/bodyBytes', `${shown(bodyBytes)} is not a number of bytes`);
  }
  const certificate = readCertificate(input['certificate']);
  if (certificate !== null && 'ok' in certificate) return certificate;
  return {
    ok: true,
    question: {
      method,
      ...place,
      headers,
      ...texts,
      certificate,
      body,
      bodyBytes: body === null ? (bodyBytes as number) : Buffer.byteLength(body),
    },
  };
}

type Data = Readonly<Record<string, unknown>>;

function isMap(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(pointer: string, message: string): QuestionResult & { readonly ok: false } {
  return { ok: false, pointer, message };
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function shown(value: unknown): string {
  return `“${typeof value === 'string' ? value : JSON.stringify(value)}”`;
}

function readUrl(
  value: unknown,
  method: string,
): Pick<Question, 'scheme' | 'authority' | 'target'> | { readonly message: string } {
  if (value === undefined) return { message: 'missing key “url”' };
  const text = typeof value === 'string' ? (value.split('#')[0] as string) : '';
  const split = splitTarget(text, method);
  if (split === null || split.authority === null || split.scheme === null) {
    return { message: `${shown(value)} is not a URL; for example https://shop.example/api` };
  }
  return { scheme: split.scheme, authority: split.authority, target: split.target };
}

/** Values are octets, as everywhere on the data plane. */
function readHeaders(value: unknown): string[] | QuestionResult {
  if (!isMap(value)) return wrong('/headers', 'headers are an object: { "X-Beta": "on" }');
  const headers: string[] = [];
  for (const [name, given] of Object.entries(value)) {
    const pointer = `/headers/${escaped(name)}`;
    if (!isToken(name)) return wrong(pointer, `“${name}” is not a header field name (RFC 9110 §5.1)`);
    for (const text of Array.isArray(given) ? (given as unknown[]) : [given]) {
      if (typeof text !== 'string' || /[\0\r\n]/.test(text))
        return wrong(pointer, `${shown(text)} is not a field value`);
      if (name.toLowerCase() === 'host' && !isValidAuthority(text)) return wrong(pointer, `“${text}” is not a host`);
      headers.push(name, Buffer.from(text.trim(), 'utf8').toString('latin1'));
    }
  }
  return headers;
}

function readTexts(
  input: Data,
): Pick<Question, 'client' | 'listener' | 'serverName'> | (QuestionResult & { ok: false }) {
  const { client = '127.0.0.1', listener = null, sni = null } = input;
  const address = typeof client === 'string' ? canonicalAddress(client) : null;
  if (address === null) return wrong('/client', `${shown(client)} is not an IP address`);
  if (listener !== null && typeof listener !== 'string') return wrong('/listener', `${shown(listener)} is not a name`);
  if (sni !== null && (typeof sni !== 'string' || !isValidAuthority(sni) || sni.includes(':'))) {
    return wrong('/sni', `${shown(sni)} is not a host name`);
  }
  return { client: address, listener, serverName: sni === null ? null : (sni as string).toLowerCase() };
}

/** RFC 5952, as client addresses always are; `null` for what is no address. */
function canonicalAddress(text: string): string | null {
  if (text.includes('/') || !parseNetwork(text).ok) return null;
  return text.includes(':') ? new URL(`http://[${text}]/`).hostname.slice(1, -1) : text;
}

function readCertificate(value: unknown): AskedCertificate | null | (QuestionResult & { readonly ok: false }) {
  if (value === undefined) return null;
  if (!isMap(value)) return wrong('/certificate', 'a certificate is an object: { "subject": "CN=alice" }');
  const { subject = '', san = [], fingerprint = '', ...others } = value;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return wrong(`/certificate/${escaped(unknown)}`, `unknown key “${unknown}”`);
  if (typeof subject !== 'string') return wrong('/certificate/subject', `${shown(subject)} is not a name`);
  if (typeof fingerprint !== 'string') return wrong('/certificate/fingerprint', `${shown(fingerprint)} is not a text`);
  const names = Array.isArray(san) ? (san as unknown[]) : [san];
  if (!names.every((name) => typeof name === 'string')) return wrong('/certificate/san', `${shown(san)} are not names`);
  return { subject, names, fingerprint: fingerprint.replaceAll(':', '').toLowerCase() };
}
