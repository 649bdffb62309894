import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { ControlResult } from '../../../src/control/control.ts';
import type { GatewayStatus } from '../../../src/control/status.ts';
import type { Hand } from '../../../src/upstream/events.ts';
import { adminOf } from '../../kit/admin.ts';
import { deskOf } from '../../kit/desk.ts';

const TOKEN = 'a-token-of-sixteen-or-more';
const DRAIN = '/pools/shop/endpoints/10.0.0.1%3A3000/drain';
const WEIGHT = '/pools/shop/endpoints/10.0.0.1%3A3000/weight';
const JSON_TYPE = { 'content-type': 'application/json' };

/** What reached the control, in words. */
interface Deeds {
  readonly all: string[];
  readonly hands: Hand[];
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

async function admin(options: { address?: string; token?: string } = {}) {
  const deeds: Deeds = { all: [], hands: [] };
  const { port } = await adminOf({
    local: options.address === undefined,
    token: async () => options.token ?? null,
    broke: (bug) => deeds.all.push(`bug: ${String(bug)}`),
    desk: deskOf({ ...fakeControl(deeds), status: async () => ({ phase: 'serving' }) as GatewayStatus }),
  });
  const send = (method: string, path: string, more: { headers?: object; body?: string } = {}) =>
    ask({ method, path, port, headers: { ...more.headers }, body: more.body ?? '' });
  return { send, deeds, port };
}

function fakeControl({ all, hands }: Deeds) {
  const note = (deed: string, hand: Hand | undefined): ControlResult => {
    all.push(deed);
    if (hand !== undefined) hands.push(hand);
    if (deed.includes('bug')) throw new Error('boom');
    if (!deed.includes(' shop ')) return { ok: false, reason: 'unknown-pool', message: 'no such pool' };
    const state = { pool: 'shop', endpoint: 'http://10.0.0.1:3000', standing: 'draining', inFlight: 0 } as const;
    return { ok: true, changed: true, state: { ...state, weight: 1, weightByHand: null, sessions: 4 } };
  };
  return {
    drain: async (pool: string, endpoint: string, hand?: Hand) => note(`drain ${pool} ${endpoint}`, hand),
    disable: async (pool: string, endpoint: string, hand?: Hand) => note(`disable ${pool} ${endpoint}`, hand),
    enable: async (pool: string, endpoint: string, hand?: Hand) => note(`enable ${pool} ${endpoint}`, hand),
    setWeight: async (pool: string, endpoint: string, weight: number | null, hand?: Hand) =>
      note(`weight ${pool} ${endpoint} ${weight}`, hand),
  };
}

function ask(asked: { method: string; path: string; port: number; headers: object; body: string }): Promise<Answer> {
  const { method, path, port, body } = asked;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const headers = { ...asked.headers } as Record<string, string>;
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
    let text = '';
    response.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

function errorOf({ body }: Answer): string {
  return (JSON.parse(body) as { error: string }).error;
}

describe('changes of endpoints', () => {
  test('are made by POST and PUT, and answered with how the endpoint is then', async () => {
    const { send, deeds } = await admin();
    const answer = await send('POST', DRAIN, { headers: JSON_TYPE });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      ...{ pool: 'shop', endpoint: 'http://10.0.0.1:3000', standing: 'draining', weight: 1, weightByHand: null },
      ...{ inFlight: 0, sessions: 4, changed: true },
    });
    const socket = `/pools/shop/endpoints/${encodeURIComponent('unix:/run/a.sock')}`;
    await send('POST', `${socket}/disable`, { headers: JSON_TYPE, body: '{}' });
    await send('POST', `${socket}/enable`, { headers: { 'content-type': 'application/json; charset=utf-8' } });
    await send('PUT', WEIGHT, { headers: JSON_TYPE, body: '{"weight":7}' });
    await send('PUT', WEIGHT, { headers: JSON_TYPE, body: '{"weight":null}' });
    expect(deeds.all).toEqual([
      'drain shop 10.0.0.1:3000',
      'disable shop unix:/run/a.sock',
      'enable shop unix:/run/a.sock',
      'weight shop 10.0.0.1:3000 7',
      'weight shop 10.0.0.1:3000 null',
    ]);
  });

  test('tell who made them: the command line, or another program, and from where', async () => {
    const { send, deeds } = await admin();
    await send('POST', DRAIN, { headers: { ...JSON_TYPE, 'user-agent': 'headgate-cli/1.0' } });
    await send('POST', DRAIN, { headers: JSON_TYPE });
    expect(deeds.hands).toEqual([
      { via: 'cli', address: '127.0.0.1' },
      { via: 'api', address: '127.0.0.1' },
    ]);
  });

  test('of what does not exist are a 404 that says so', async () => {
    const { send } = await admin();
    const answer = await send('POST', DRAIN.replace('shop', 'cart'), { headers: JSON_TYPE });
    expect([answer.status, answer.body]).toEqual([
      404,
      '{"error":"unknown-pool","message":"no such pool","parameter":"pool"}',
    ]);
    expect((await send('POST', '/pools/shop/endpoints', { headers: JSON_TYPE })).status).toBe(404);
  });

  test.each([
    ['not JSON', '{', 'POST', DRAIN],
    ['no object', '[1]', 'POST', DRAIN],
    ['null', 'null', 'POST', DRAIN],
    ['an unknown key', '{"wieght":1}', 'PUT', WEIGHT],
    ['a key where none is', '{"weight":1}', 'POST', DRAIN],
    ['a weight as text', '{"weight":"1"}', 'PUT', WEIGHT],
    ['no weight', '{}', 'PUT', WEIGHT],
    ['nothing', '', 'PUT', WEIGHT],
  ])('with a body that is %s are a 400', async (_, body, method, path) => {
    const { send, deeds } = await admin();
    const answer = await send(method, path, { headers: JSON_TYPE, body });
    expect([answer.status, errorOf(answer)]).toEqual([400, 'bad-request']);
    expect(deeds.all).toEqual([]);
  });

  test('longer than 16 KiB are a 413, announced or not', async () => {
    const { send, deeds } = await admin();
    const body = `{"weight":1${' '.repeat(16 * 1024)}}`;
    const chunked = { ...JSON_TYPE, 'transfer-encoding': 'chunked' };
    for (const headers of [JSON_TYPE, chunked]) {
      const answer = await send('PUT', WEIGHT, { headers, body });
      expect([answer.status, errorOf(answer)]).toEqual([413, 'body-too-large']);
    }
    expect(deeds.all).toEqual([]);
  });

  test('by another method are a 405 that names the right one', async () => {
    const { send, deeds } = await admin();
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const answer = await send(method, DRAIN, { headers: JSON_TYPE });
      expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, 'POST']);
    }
    expect((await send('POST', '/status', { headers: JSON_TYPE })).headers['allow']).toBe('GET, HEAD');
    expect(deeds.all).toEqual([]);
  });

  test('with a path that can not be decoded, or has a name without end, are refused', async () => {
    const { send, deeds } = await admin();
    expect((await send('POST', '/pools/shop/endpoints/%zz/drain', { headers: JSON_TYPE })).status).toBe(400);
    const endless = `/pools/shop/endpoints/${'a'.repeat(2000)}/drain`;
    expect((await send('POST', endless, { headers: JSON_TYPE })).status).toBeGreaterThanOrEqual(400);
    expect(deeds.all).toEqual([]);
  });

  test('that meet a bug are a 500 that shows nothing of it', async () => {
    const { send, deeds } = await admin();
    const answer = await send('POST', DRAIN.replace('shop', 'bug'), { headers: JSON_TYPE });
    expect([answer.status, errorOf(answer)]).toEqual([500, 'bug']);
    expect(answer.body).not.toContain('boom');
    expect(deeds.all).toContain('bug: Error: boom');
  });
});

describe('a web page', () => {
  test('can change nothing by what a form or a simple request sends', async () => {
    const { send, deeds } = await admin();
    const types = [
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'text/plain',
      'text/plain; application/json',
    ];
    for (const type of types) {
      const answer = await send('POST', DRAIN, { headers: { 'content-type': type }, body: '{}' });
      expect([answer.status, errorOf(answer)]).toEqual([415, 'content-type-not-json']);
    }
    expect((await send('POST', DRAIN)).status).toBe(415);
    expect(deeds.all).toEqual([]);
  });

  test('of another origin can change nothing, and is given no permission to try', async () => {
    const { send, deeds, port } = await admin();
    const foreign = [
      'http://evil.test',
      'null',
      'http://127.0.0.1:1',
      'http://localhost',
      'https://127.0.0.1.evil.test',
    ];
    for (const origin of foreign) {
      const answer = await send('POST', DRAIN, { headers: { ...JSON_TYPE, origin } });
      expect([origin, answer.status, errorOf(answer)]).toEqual([origin, 403, 'origin-not-allowed']);
    }
    for (const site of ['cross-site', 'same-site']) {
      expect((await send('POST', DRAIN, { headers: { ...JSON_TYPE, 'sec-fetch-site': site } })).status).toBe(403);
    }
    const preflight = { origin: 'http://evil.test', 'access-control-request-method': 'POST' };
    const asked = await send('OPTIONS', DRAIN, { headers: preflight });
    expect(asked.status).toBe(405);
    expect(Object.keys(asked.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(deeds.all).toEqual([]);
    const own = { ...JSON_TYPE, origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' };
    expect((await send('POST', DRAIN, { headers: own })).status).toBe(200);
  });

  test('can not reach a loopback listener under a name of its own', async () => {
    const { send, deeds } = await admin();
    const rebound = { ...JSON_TYPE, host: 'evil.test:4600', origin: 'http://evil.test:4600' };
    expect((await send('POST', DRAIN, { headers: rebound })).status).toBe(421);
    expect(deeds.all).toEqual([]);
  });
});

describe('the token', () => {
  test('is asked for, once there is one, and nothing near it will do', async () => {
    const { send, deeds } = await admin({ token: TOKEN });
    const wrong = [
      undefined,
      '',
      TOKEN,
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(0, -1)}`,
      'Bearer',
    ];
    for (const authorization of wrong) {
      const headers = { ...JSON_TYPE, ...(authorization === undefined ? {} : { authorization }) };
      const answer = await send('POST', DRAIN, { headers });
      expect([answer.status, answer.headers['www-authenticate'], errorOf(answer)]).toEqual([
        401,
        'Bearer',
        'token-required',
      ]);
    }
    expect(deeds.all).toEqual([]);
    const right = { ...JSON_TYPE, authorization: `bearer ${TOKEN}` };
    expect((await send('POST', DRAIN, { headers: right })).status).toBe(200);
    expect((await send('GET', '/status')).status).toBe(200);
  });

  test('does not make up for what a page of another origin lacks', async () => {
    const { send } = await admin({ token: TOKEN });
    const headers = { ...JSON_TYPE, authorization: `Bearer ${TOKEN}`, origin: 'http://evil.test' };
    expect((await send('POST', DRAIN, { headers })).status).toBe(403);
  });

  test('is what changes beyond this machine need: without one there are none', async () => {
    const { send, deeds } = await admin({ address: '0.0.0.0' });
    const answer = await send('POST', DRAIN, { headers: JSON_TYPE });
    expect([answer.status, errorOf(answer)]).toEqual([403, 'changes-not-allowed']);
    expect(errorOf(await send('GET', '/status'))).toBe('reading-not-allowed');
    expect(deeds.all).toEqual([]);
    const guarded = await admin({ address: '0.0.0.0', token: TOKEN });
    const right = { ...JSON_TYPE, authorization: `Bearer ${TOKEN}` };
    expect((await guarded.send('POST', DRAIN, { headers: right })).status).toBe(200);
  });
});
