import type { CaseRequest, ExpectedField } from './case.ts';
import type { Fields, Reply } from './client.ts';
import { fieldText } from './dates.ts';
import type { SeenRequest } from './origin.ts';

/** A case that is not met. `setup`: its premise is not, so that it says nothing about its subject. */
export class Unmet extends Error {
  readonly setup: boolean;

  constructor(setup: boolean, message: string) {
    super(message);
    this.setup = setup;
  }
}

function assert(setup: boolean, holds: boolean, message: string): void {
  if (!holds) throw new Unmet(setup, message);
}

function isSetup(asked: CaseRequest, expectation: keyof CaseRequest): boolean {
  return asked.setup === true || asked.setup_tests?.includes(expectation) === true;
}

/** What the client got for request `number` of a case, counted from 1. Throws `Unmet`. */
export function judgeReply(
  asked: CaseRequest,
  reply: Reply,
  facts: { readonly number: number; readonly token: string },
): void {
  const { number } = facts;
  const seenAt = (reply.fields.get('request-numbers') ?? '').split(' ');
  assert(true, new Set(seenAt).size === seenAt.length, 'the origin was asked twice for one request');
  judgeSource(asked, reply, number);
  judgeStatus(asked, reply, number);
  judgeFields(asked, reply.fields, number);
  judgeInterim(asked, reply, number);
  judgeBody(asked, reply, facts);
}

function judgeSource(asked: CaseRequest, { status, fields }: Reply, number: number): void {
  const setup = isSetup(asked, 'expected_type');
  const count = Number.parseInt(fields.get('server-request-count') ?? '', 10);
  if (asked.expected_type === 'cached' && !(status === 304 && Number.isNaN(count))) {
    assert(setup, count < number, `response ${number} does not come from the cache`);
  }
  if (asked.expected_type === 'not_cached') assert(setup, count === number, `response ${number} comes from the cache`);
}

function judgeStatus(asked: CaseRequest, { status }: Reply, number: number): void {
  if (asked.expected_status !== undefined) {
    const { expected_status: expected } = asked;
    if (expected === null) return;
    assert(
      isSetup(asked, 'expected_status'),
      status === expected,
      `response ${number} has status ${status}, not ${expected}`,
    );
    return;
  }
  if (asked.response_status === undefined && status === 999) {
    assert(isSetup(asked, 'expected_type'), false, `request ${number} was not conditional`);
  }
  const expected = asked.response_status?.[0] ?? 200;
  assert(true, status === expected, `response ${number} has status ${status}, not ${expected}`);
}

function judgeFields(asked: CaseRequest, fields: Fields, number: number): void {
  const present = isSetup(asked, 'expected_response_headers');
  for (const expected of asked.expected_response_headers ?? []) {
    const why = mismatch(asked, expected, fields);
    assert(present, why === null, `response ${number}: ${why}`);
  }
  const missing = isSetup(asked, 'expected_response_headers_missing');
  for (const expected of asked.expected_response_headers_missing ?? []) {
    const [name, value] = typeof expected === 'string' ? [expected, null] : expected;
    const got = fields.get(name.toLowerCase());
    const isThere = got !== undefined && (value === null || got.includes(String(value)));
    assert(missing, !isThere, `response ${number} has ${name}: ${got}`);
  }
}

/** What is wrong with the field, or `null`. */
function mismatch(asked: CaseRequest, expected: ExpectedField, fields: Fields): string | null {
  const name = typeof expected === 'string' ? expected : expected[0];
  const got = fields.get(name.toLowerCase());
  if (typeof expected === 'string') return got === undefined ? `${name} is missing` : null;
  if (expected.length === 3) {
    const [, operator, operand] = expected;
    const meets =
      operator === '='
        ? got !== undefined && got === fields.get(String(operand).toLowerCase())
        : Number.parseInt(got ?? '', 10) > Number(operand);
    return meets ? null : `${name} is ${got}, not ${operator} ${operand}`;
  }
  const text = fieldText(expected, {
    nowMs: Number(fields.get('server-now')),
    base: fields.get('server-base-url') ?? '',
    magicLocations: asked.magic_locations === true,
    rfc850: asked.rfc850date ?? [],
  });
  return got === text ? null : `${name} is "${got}", not "${text}"`;
}

function judgeInterim(asked: CaseRequest, { interim }: Reply, number: number): void {
  const { expected_interim_responses: expected } = asked;
  if (expected === undefined) return;
  const setup = isSetup(asked, 'expected_interim_responses');
  for (const [i, [status, fields = []]] of expected.entries()) {
    const got = interim[i];
    assert(setup, got?.status === status, `interim response ${i + 1} to ${number} is ${got?.status}, not ${status}`);
    for (const [name, value] of fields) {
      assert(setup, got?.fields.get(name) === value, `interim response ${i + 1} to ${number} lacks ${name}: ${value}`);
    }
  }
  assert(setup, interim.length === expected.length, `${interim.length} interim responses, not ${expected.length}`);
}

function judgeBody(
  asked: CaseRequest,
  { status, text }: Reply,
  facts: { readonly number: number; readonly token: string },
): void {
  const { number, token } = facts;
  if (asked.check_body === false) return;
  const { expected_response_text: expected, response_body: sent } = asked;
  if (expected !== undefined) {
    const setup = isSetup(asked, 'expected_response_text');
    assert(setup, expected === null || text === expected, `body ${number} is "${text}", not "${expected}"`);
  } else if (sent !== undefined && sent !== null) {
    assert(true, text === sent, `body ${number} is "${text}", not "${sent}"`);
  } else if (status !== 204 && status !== 304 && asked.request_method !== 'HEAD') {
    assert(true, text === token, `body ${number} is "${text}", not the case's own`);
  }
}

/** What the origin saw of a whole case. Throws `Unmet`. */
export function judgeRequests(
  requests: readonly CaseRequest[],
  replies: readonly Reply[],
  seen: readonly SeenRequest[],
): void {
  let at = 0;
  for (const [i, asked] of requests.entries()) {
    // The origin did not see it.
    if (asked.expected_type === 'cached') continue;
    const request = seen[at];
    at += 1;
    judgeRequest(asked, request, i + 1);
    for (const [name, sent] of request?.checked ?? []) {
      if (name.toLowerCase() === 'date') continue;
      const got = replies[i]?.fields.get(name.toLowerCase());
      assert(true, got === sent, `response ${i + 1}: ${name} is "${got}", not "${sent}"`);
    }
  }
}

function judgeRequest(asked: CaseRequest, request: SeenRequest | undefined, number: number): void {
  const typed = isSetup(asked, 'expected_type');
  if (asked.expected_type === 'not_cached') {
    assert(typed, request?.number === number, `response ${number} comes from the cache`);
  }
  if (asked.expected_type === 'etag_validated') {
    assert(typed, request?.headers['if-none-match'] !== undefined, `request ${number} has no If-None-Match`);
  }
  if (asked.expected_type === 'lm_validated') {
    assert(typed, request?.headers['if-modified-since'] !== undefined, `request ${number} has no If-Modified-Since`);
  }
  for (const expected of asked.expected_request_headers ?? []) {
    const [name, value] = typeof expected === 'string' ? [expected, null] : expected;
    const got = request?.headers[name.toLowerCase()];
    const meets = got !== undefined && (value === null || got === value);
    assert(isSetup(asked, 'expected_request_headers'), meets, `request ${number}: ${name} is "${got}", not "${value}"`);
  }
  for (const expected of asked.expected_request_headers_missing ?? []) {
    const [name, value] = typeof expected === 'string' ? [expected, null] : expected;
    const got = request?.headers[name.toLowerCase()];
    const isThere = got !== undefined && (value === null || got === value);
    assert(isSetup(asked, 'expected_request_headers_missing'), !isThere, `request ${number} has ${name}: "${got}"`);
  }
  if (asked.expected_method !== undefined) {
    const meets = request?.method === asked.expected_method;
    assert(isSetup(asked, 'expected_method'), meets, `request ${number} is ${request?.method}`);
  }
}
