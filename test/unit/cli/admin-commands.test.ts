import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { adminAccess } from '../../../src/cli/admin-access.ts';
import type { AdminPlace } from '../../../src/cli/admin-arguments.ts';
import type { AdminAccess } from '../../../src/cli/admin-client.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';
import { askedOf } from '../../kit/command-line.ts';
import { forwardTo } from '../../kit/config.ts';
import { startTestGateway } from '../../kit/gateway.ts';
import { deadPort } from '../../kit/origin.ts';
import { stopAfterTest } from '../../kit/stop.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-admin-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (line: string, access: AdminAccess) => askedOf(access, line);

async function aGateway() {
  const gateway = await startTestGateway(forwardTo([{ port: 3001 }, { port: 3002 }]));
  return { gateway, access: { url: new URL(gateway.gateway.adminUrl), token: null } };
}

/** Somebody else on the port of an admin listener. */
async function somebody(listener: RequestListener): Promise<AdminAccess> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  stopAfterTest(() => void server.close());
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), token: null };
}

describe('the command line', () => {
  test('sets what endpoints are to do, and tells how they are then', async () => {
    const { gateway, access } = await aGateway();
    const at = 'shop  http://127.0.0.1:3001';
    expect(await run('drain shop 127.0.0.1:3001', access)).toEqual({
      ...{ code: 0, err: '' },
      out: `${at}  draining, weight 1, 0 in flight\n`,
    });
    expect(await run('drain shop http://127.0.0.1:3001', access)).toMatchObject({
      out: `${at}  draining, weight 1, 0 in flight, as it was before\n`,
    });
    expect(await run('weight shop 127.0.0.1:3001 0', access)).toMatchObject({
      out: `${at}  draining, weight 0 by hand (1 by configuration), 0 in flight\n`,
    });
    expect((await run('disable shop 127.0.0.1:3001', access)).out).toContain('disabled');
    expect((await run('enable shop 127.0.0.1:3001', access)).out).toContain('enabled');
    expect((await run('weight shop 127.0.0.1:3001 default', access)).out).toContain('enabled, weight 1,');
    expect(gateway.status().pools[0]?.endpoints[0]).toMatchObject({ standing: 'enabled', weightByHand: null });
  });

  test('shows how a gateway is, for people and for programs', async () => {
    const { gateway, access } = await aGateway();
    await run('drain shop 127.0.0.1:3001', access);
    await run('weight shop 127.0.0.1:3002 5', access);
    const { code, out } = await run('status', access);
    expect(code).toBe(0);
    expect(out).toMatch(/^serving since .*, version .*, 1 route\n\nLISTENER +URL +CONNECTIONS\nweb +http/);
    expect(out).toMatch(/\nshop +http:\/\/127\.0\.0\.1:3001 +0 +unchecked +draining +1 +0 +0 of 0 busy\n/);
    expect(out).toMatch(/\nshop +http:\/\/127\.0\.0\.1:3002 +0 +unchecked +enabled +5 by hand \(1\) +0 /);
    expect(JSON.parse((await run('status --json', access)).out)).toEqual(gateway.status());
    const drained = await run('drain shop 127.0.0.1:3001 --json', access);
    expect(JSON.parse(drained.out)).toMatchObject({ pool: 'shop', standing: 'draining', changed: false });
  });

  test('tells what there is when a pool or an endpoint is misspelt', async () => {
    const { access } = await aGateway();
    expect(await run('drain shpo 127.0.0.1:3001', access)).toEqual({
      ...{ code: 1, out: '' },
      err: 'headgate: “shpo” is no pool: did you mean “shop”?\n',
    });
    const json = await run('drain shop x --json', access);
    expect([json.code, JSON.parse(json.out).error]).toEqual([1, 'unknown-endpoint']);
  });

  test('ends with 69 when nobody answers, or somebody else', async () => {
    const nobody = { url: new URL(`http://127.0.0.1:${await deadPort()}`), token: null };
    expect(await run('status', nobody)).toMatchObject({
      code: 69,
      err: expect.stringMatching(/^headgate: No gateway answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\n/),
    });
    const page = await somebody((_request, response) => response.end('<html>'));
    expect(await run('status', page)).toMatchObject({ code: 69, err: expect.stringContaining('is not the admin') });
    for (const body of ['null', '{}', '[1]', '"text"']) {
      const json = await somebody((_request, response) => response.end(body));
      for (const line of ['status', 'top', 'tail --no-follow', 'reload', 'plan', 'cache', 'log-level']) {
        const { code, err } = await run(line, json);
        expect([code, err], `${line} of ${body}`).toEqual([69, expect.stringMatching(/is not the admin listener/)]);
      }
    }
    const cut = await somebody((_request, response) => response.destroy());
    expect(await run('status', cut)).toMatchObject({ code: 69 });
  });

  test('waits for a reload or a plan longer than for what is there already', async () => {
    const patience = vi.spyOn(AbortSignal, 'timeout');
    const nobody = { url: new URL(`http://127.0.0.1:${await deadPort()}`), token: null };
    for (const line of ['status', 'plan', 'reload']) await run(line, nobody);
    expect(patience.mock.calls.flat()).toEqual([20_000, 60_000, 150_000]);
    patience.mockRestore();
  });

  test('brings the token, and ends with 77 when it is not the right one', async () => {
    const seen: (string | undefined)[] = [];
    const access = await somebody((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401).end('{"error":"token-required","message":"Changes need the token"}');
    });
    const refused = await run('drain shop x', { ...access, token: 'abcdefgh-abcdefgh' });
    expect(refused).toMatchObject({ code: 77, err: expect.stringMatching(/Changes need the token\n.*--token-file/) });
    expect(seen).toEqual(['Bearer abcdefgh-abcdefgh']);
  });

  test.each(['null', '{"message":{"a":1}}', '7'])(
    'has words of its own for a refusal without any: %s',
    async (body) => {
      const access = await somebody((_request, response) => response.writeHead(404).end(body));
      expect(await run('status', access)).toMatchObject({ code: 1, err: 'headgate: the gateway answered 404\n' });
    },
  );

  test('shows nothing that would move the cursor', async () => {
    const access = await somebody((_request, response) => response.writeHead(404).end('{"message":"\\u001b[2Jgone"}'));
    expect((await run('drain shop x', access)).err).toBe('headgate: �[2Jgone\n');
  });
});

describe('where the gateway is', () => {
  const place = (over: Partial<AdminPlace>): AdminPlace => ({ url: null, path: null, tokenFile: null, ...over });
  const written = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };

  test('says --admin, or the configuration, with the token that belongs to it', () => {
    const path = written('one.yaml', `admin: { port: 4700, token: "\${TOKEN}" }\nlisteners: { web: { port: 1 } }\n`);
    const environment = { TOKEN: 'abcdefgh-abcdefgh' };
    const url = new URL('http://127.0.0.1:4800');
    expect(adminAccess(place({ path }), environment)).toEqual({
      ...{ url: new URL('http://127.0.0.1:4700'), token: 'abcdefgh-abcdefgh', warning: null },
    });
    expect(adminAccess(place({ path, url }), environment)).toEqual({ url, token: null, warning: null });
  });

  test('a token that is given goes before that of the configuration', () => {
    const path = written('two.yaml', 'admin: { token: abcdefgh-abcdefgh }\n');
    const tokenFile = written('token', ' of-the-file-16-characters\n');
    const environment = { HEADGATE_ADMIN_TOKEN: 'of-the-environment' };
    expect(adminAccess(place({ path }), environment).token).toBe('of-the-environment');
    expect(adminAccess(place({ path, tokenFile }), environment).token).toBe('of-the-file-16-characters');
    for (const unusable of [join(folder, 'nowhere'), written('empty', '\n'), written('two lines', 'a\nb\n')]) {
      expect(() => adminAccess(place({ path, tokenFile: unusable }), {})).toThrow(UsageError);
    }
  });

  test.each([
    ['0.0.0.0', 'http://127.0.0.1:4600'],
    ['::', 'http://[::1]:4600'],
    ['10.0.0.1', 'http://10.0.0.1:4600'],
  ])('bound to %s it is asked at %s', (address, url) => {
    const path = written('bound.yaml', `admin: { address: "${address}" }\n`);
    expect(adminAccess(place({ path }), {}).url.origin).toBe(url);
  });

  test('a mistake elsewhere in the configuration keeps nobody from asking', () => {
    const path = written('wrong.yaml', 'admin: { port: 4700 }\npools: { shop: { endpoints: 3 } }\n');
    const found = adminAccess(place({ path }), {});
    expect(found.url.port).toBe('4700');
    expect(found.warning).toContain('has mistakes');
    expect(() => adminAccess(place({ path: join(folder, 'nowhere') }), {})).toThrow(/Cannot tell from/);
  });
});
