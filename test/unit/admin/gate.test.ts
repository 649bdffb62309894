import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { operations } from '../../../src/admin/operations/operations.ts';
import type { AdminOptions } from '../../../src/admin/server.ts';
import type { GatewayStatus } from '../../../src/control/status.ts';
import { adminOf } from '../../kit/admin.ts';
import { inTime } from '../../kit/deadline.ts';
import { deskOf } from '../../kit/desk.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { stopAfterTest } from '../../kit/stop.ts';

/** fast-check's own `binary`, and what is made of it, take seconds to set up. */
const anyCharacter = fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code).toWellFormed());
const TOKEN = 'a-token-of-sixteen-or-more';

interface Wire {
  readonly socket: Socket;
  /** Everything that came, once the connection is closed. */
  readonly all: Promise<string>;
}

async function admin(options: Partial<AdminOptions> = {}) {
  const clock = new ManualClock();
  const guesses: number[] = [];
  const bugs: unknown[] = [];
  const { port } = await adminOf({
    clock,
    desk: deskOf({
      status: async () => ({ phase: 'serving' }) as GatewayStatus,
      readiness: async () => ({ ready: true, status: 'ready' }),
    }),
    wrongToken: (guess) => guesses.push(guess.guesses),
    broke: (bug) => bugs.push(bug),
    ...options,
  });
  const open = (text = ''): Wire => {
    const socket = connect({ host: '127.0.0.1', port });
    stopAfterTest(() => socket.destroy());
    let came = '';
    const { promise, resolve } = Promise.withResolvers<string>();
    socket.on('data', (chunk: Buffer) => {
      came += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(came));
    socket.write(text);
    return { socket, all: inTime(promise, 'the end of a connection') };
  };
  /** Status, head and body of one request on a connection of its own. */
  const ask = async (head: string, body = '') => {
    const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    const text = await open(`${head}\r\n${length}Connection: close\r\n\r\n${body}`).all;
    const [fields = '', sent = ''] = text.split('\r\n\r\n', 2);
    return { status: Number(fields.split(' ')[1]), fields: fields.toLowerCase(), body: sent };
  };
  return { clock, guesses, bugs, open, ask };
}

function errorOf({ body }: { readonly body: string }): string {
  return (JSON.parse(body) as { error: string }).error;
}

describe('who is asked for', () => {
  test.each([
    ...[
      'localhost',
      'LOCALHOST:4600',
      'localhost.',
      'localhost:',
      '127.0.0.1',
      '127.8.9.1:80',
      '127.1',
      '[::1]',
      '[::1]:4600',
    ],
    ...['[::ffff:127.0.0.1]:4600', '[0:0:0:0:0:0:0:1]'],
  ])('may be %s on a loopback listener', async (host) => {
    const { ask } = await admin();
    expect((await ask(`GET /status HTTP/1.1\r\nHost: ${host}`)).status).toBe(200);
  });

  test.each([
    ...[
      'evil.test',
      'localhost.evil.test',
      '127.0.0.1.evil.test',
      'evil.test:4600',
      'evil@localhost',
      'localhost/x',
      '',
    ],
    ...[
      '0.0.0.0',
      '[::]',
      '[::2]',
      '127.0.0.1:x',
      'localhost:80:80',
      '%6cocalhost',
      'localhost..',
      'localhost#',
      '[::1',
      '::1]',
    ],
    ...['localhost, evil.test', 'evil.test localhost', '128.0.0.1', '10.127.0.0.1'],
  ])('may not be “%s”', async (host) => {
    const { ask } = await admin();
    const answer = await ask(`GET /status HTTP/1.1\r\nHost: ${host}`);
    expect([answer.status, errorOf(answer)]).toEqual([421, 'host-not-allowed']);
  });

  test('is said once: several Host fields, whichever is right, are a 400', async () => {
    const { ask } = await admin();
    for (const hosts of [
      ['localhost', 'evil.test'],
      ['localhost', 'localhost'],
      ['evil.test', 'localhost'],
    ]) {
      const answer = await ask(`GET /status HTTP/1.1\r\n${hosts.map((host) => `Host: ${host}`).join('\r\n')}`);
      expect(answer.status).toBe(400);
    }
  });

  test('is said by every request, and an expectation that nobody knows is passed over: the answer is JSON', async () => {
    const { ask } = await admin();
    expect(errorOf(await ask('GET /status HTTP/1.1\r\nX-Host: localhost'))).toBe('host-not-allowed');
    expect(errorOf(await ask('GET /status HTTP/1.1\r\nHost: evil.test\r\nExpect: more'))).toBe('host-not-allowed');
    expect((await ask('GET /status HTTP/1.1\r\nHost: localhost\r\nExpect: more')).status).toBe(200);
  });

  test('is in Host alone: a target with a host of its own is nothing that is here', async () => {
    const { ask } = await admin();
    expect((await ask('GET http://localhost/status HTTP/1.1\r\nHost: localhost')).status).toBe(404);
    expect((await ask('OPTIONS * HTTP/1.1\r\nHost: localhost')).status).toBe(404);
  });

  test('is anybody where others than this machine ask, and the token decides', async () => {
    const { ask } = await admin({ local: false, token: async () => TOKEN });
    expect((await ask('GET /status HTTP/1.1\r\nHost: gateway.test')).status).toBe(401);
    const brings = `GET /status HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer ${TOKEN}`;
    expect((await ask(brings)).status).toBe(200);
  });
});

describe('a client', () => {
  test('may ask so often and no more; liveness and readiness are not counted', async () => {
    const { clock, ask } = await admin({ requestsPerSecond: 2 });
    const status = () => ask('GET /status HTTP/1.1\r\nHost: localhost');
    for (let i = 0; i < 4; i += 1) expect((await status()).status).toBe(200);
    const refused = await status();
    expect([refused.status, errorOf(refused)]).toEqual([429, 'too-many-requests']);
    expect(refused.fields).toContain('retry-after: 1');
    expect((await ask('GET /healthz HTTP/1.1\r\nHost: localhost')).status).toBe(200);
    expect((await ask('GET /readyz HTTP/1.1\r\nHost: localhost')).status).toBe(200);
    clock.advance(1_000);
    expect((await status()).status).toBe(200);
  });

  test('that guesses tokens waits twice as long for each, also with the right one; the same wrong one is no guess', async () => {
    const { clock, guesses, ask } = await admin({ local: false, token: async () => TOKEN });
    const bring = (token: string) => ask(`GET /status HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}`);
    for (let i = 0; i < 20; i += 1) expect((await bring('yesterday-s-token')).status).toBe(401);
    expect(new Set(guesses)).toEqual(new Set([1]));
    for (const guess of ['a', 'b', 'c', 'd']) expect((await bring(guess)).status).toBe(401);
    const locked = await bring(TOKEN);
    expect([locked.status, errorOf(locked)]).toEqual([429, 'too-many-wrong-tokens']);
    expect(locked.fields).toContain('retry-after: 1');
    clock.advance(1_000);
    expect((await bring('e')).status).toBe(401);
    expect((await bring(TOKEN)).fields).toContain('retry-after: 2');
    expect((await ask('GET /healthz HTTP/1.1\r\nHost: a')).status).toBe(200);
    clock.advance(2_000);
    expect((await bring(TOKEN)).status).toBe(200);
    expect((await bring('f')).status).toBe(401);
    expect((await bring(TOKEN)).status).toBe(200);
  });

  test('that says nothing, dribbles a head or a body, or stays after its answer, loses its connection', async () => {
    const { clock, open, ask } = await admin();
    const silent = open();
    const head = open('GET /status HTTP/1.1\r\nHost: local');
    const body = open(
      'POST /cache/purge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"all"',
    );
    const kept = open('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => kept.socket.once('data', resolve));
    // All have been accepted, and what they sent has been read: connections are served in the order in which they came.
    expect((await ask('GET /healthz HTTP/1.1\r\nHost: localhost')).status).toBe(200);
    clock.advance(9_999);
    expect([silent, head, body, kept].map(({ socket }) => socket.destroyed)).toEqual([false, false, false, false]);
    clock.advance(1);
    expect([await silent.all, await head.all, await body.all]).toEqual(['', '', '']);
    expect(await kept.all).toContain('200 OK');
    expect(clock.pending).toBe(0);
  });

  test('waits for what takes minutes, an upgrade of many workers, say; reading its answer may not', async () => {
    const work = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { clock, open } = await admin({
      desk: deskOf({
        upgrade: async () => {
          begun.resolve();
          await work.promise;
          return { ok: true, replaced: 64 };
        },
      }),
    });
    const asked = open(
      'POST /upgrade HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}',
    );
    await begun.promise;
    clock.advance(599_999);
    work.resolve();
    expect(await asked.all).toContain('{"replaced":64}');
  });

  test('has 64 connections at most', async () => {
    const { open, ask } = await admin();
    const kept = Array.from({ length: 64 }, () => open('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    await Promise.all(kept.map(({ socket }) => new Promise((resolve) => socket.once('data', resolve))));
    expect(await open('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n').all).toBe('');
    kept[0]?.socket.destroy();
    await kept[0]?.all;
    // The listener hears of it in its own time.
    await expect.poll(async () => (await ask('GET /healthz HTTP/1.1\r\nHost: localhost')).status).toBe(200);
  });

  test('that sends too long a head, or no HTTP, is told so', async () => {
    const { open, ask } = await admin();
    const long = await ask(`GET /status HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(17_000)}`);
    expect([long.status, errorOf(long)]).toEqual([431, 'head-too-large']);
    const [, body = ''] = (await open('\x16\x03\x01 hello\r\n\r\n').all).split('\r\n\r\n');
    expect(errorOf({ body })).toBe('bad-request');
  });
});

test('nothing that can be sent makes a bug or goes without an answer', async () => {
  const { bugs, ask } = await admin({ requestsPerSecond: 1e9, desk: anyDesk() });
  const changes = operations.filter(({ access }) => access === 'change');
  const shapes = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .dictionary(
        fc.constantFrom('weight', 'on', 'retryAfter', 'level', 'url', 'tags', 'all', 'hard', '__proto__', 'x/~'),
        fc.jsonValue(),
      )
      .map((value) => JSON.stringify(value)),
  );
  const names = fc.oneof(
    fc
      .array(anyCharacter)
      .map((all) => all.join(''))
      .map(encodeURIComponent),
    fc.constantFrom('shop', '%zz', '%ff', '..', '%2e%2e', '%00'),
  );
  const queries = fc.oneof(
    fc.constant(''),
    fc.dictionary(fc.string(), fc.string()).map((query) => `?${new URLSearchParams(query)}`),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...operations, ...changes),
      names,
      queries,
      shapes,
      async (operation, name, query, body) => {
        const path = operation.path.replaceAll(/\{\w+\}/g, () => (name === '' ? 'x' : name)) + query;
        const type = 'Content-Type: application/json';
        const sent = operation.method === 'GET' ? '' : body;
        const answer = await ask(`${operation.method} ${path} HTTP/1.1\r\nHost: localhost\r\n${type}`, sent);
        expect(answer.status, `${operation.id} ${path} ${sent}`).toBeGreaterThanOrEqual(200);
        expect(answer.status, `${operation.id} ${path} ${sent}`).toBeLessThan(500);
      },
    ),
    { seed: 607, numRuns: 300 },
  );
  expect(bugs).toEqual([]);
});

/** Says yes to everything: what matters is what gets this far. */
function anyDesk(): AdminOptions['desk'] {
  return new Proxy({} as AdminOptions['desk'], {
    get: (_target, name) => async () => {
      const answer = { ok: true, state: {}, pools: [], text: '', contentType: 'text/plain' };
      return Object.hasOwn(ANSWERS, name) ? ANSWERS[String(name)] : answer;
    },
  });
}

const ANSWERS: Readonly<Record<string, unknown>> = {
  readiness: { ready: true, status: 'ready' },
  revocationList: null,
  cachedUrl: null,
  reload: { result: 'applied' },
  logLevel: 'info',
  tail: { ok: true, lines: [], next: '', missed: 0 },
  top: { ok: true, by: 'route', spanMs: 0, total: {}, rows: [], more: 0 },
};
