import { type Agent, type IncomingMessage, request } from 'node:http';
import type { CaseRequest } from './case.ts';
import { fieldText } from './dates.ts';

/** Field lines as received, names in lower case, lines of one field joined by `, `. */
export type Fields = ReadonlyMap<string, string>;

export interface Reply {
  readonly status: number;
  readonly fields: Fields;
  readonly text: string;
  /** 1xx answers that came before. */
  readonly interim: readonly { readonly status: number; readonly fields: Fields }[];
}

/** So that a request that is never answered ends the run; long, because every case asks at once on a machine that may be busy. */
const TIMEOUT_MS = 60_000;

export interface Asked {
  readonly agent: Agent;
  readonly port: number;
  readonly token: string;
  /** Counted from 1. */
  readonly number: number;
  readonly id: string;
  readonly name: string;
  readonly before: Reply | undefined;
}

/** Sends one request of a case, as the suite's client does, and follows no redirect. */
export function send(asked: CaseRequest, exchange: Asked): Promise<Reply> {
  const { agent, port, token } = exchange;
  const file = asked.filename === undefined ? '' : `/${asked.filename}`;
  const query = asked.query_arg === undefined ? '' : `?${asked.query_arg}`;
  return new Promise((resolve, reject) => {
    const interim: Reply['interim'][number][] = [];
    const outgoing = request({
      agent,
      host: '127.0.0.1',
      port,
      method: asked.request_method ?? 'GET',
      path: `/test/${token}${file}${query}`,
      headers: requestFields(asked, exchange),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    outgoing.on('information', ({ statusCode, rawHeaders }) => {
      interim.push({ status: statusCode, fields: fieldsOf(rawHeaders) });
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      readText(response).then((text) => {
        resolve({ status: response.statusCode ?? 0, fields: fieldsOf(response.rawHeaders), text, interim });
      }, reject);
    });
    outgoing.end(asked.request_body);
  });
}

function requestFields(asked: CaseRequest, { name, id, number, before }: Asked): Record<string, string> {
  const facts = {
    nowMs: Number(before?.fields.get('server-now')),
    base: '',
    magicLocations: false,
    rfc850: asked.rfc850date ?? [],
  };
  const fields = new Map<string, string>();
  const add = (field: string, value: string): void => {
    const earlier = fields.get(field.toLowerCase());
    fields.set(field.toLowerCase(), earlier === undefined ? value : `${earlier}, ${value}`);
  };
  // What the suite's client sends with every request, to keep its own library from adding `no-cache`.
  add('pragma', 'foo');
  add('cache-control', 'nothing-to-see-here');
  for (const field of asked.request_headers ?? []) {
    add(field[0], asked.magic_ims === true ? fieldText(field, facts) : String(field[1]));
  }
  add('test-name', name);
  add('test-id', id);
  add('req-num', String(number));
  add('accept', '*/*');
  return Object.fromEntries(fields);
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

function fieldsOf(raw: readonly string[]): Fields {
  const fields = new Map<string, string>();
  for (let i = 0; i < raw.length; i += 2) {
    const name = String(raw[i]).toLowerCase();
    const earlier = fields.get(name);
    fields.set(name, earlier === undefined ? String(raw[i + 1]) : `${earlier}, ${raw[i + 1]}`);
  }
  return fields;
}
