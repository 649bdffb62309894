import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deadPort } from '../kit/origin.ts';
import { ask } from './kit/client.ts';
import { CHECKOUT, GatewayProcess, MAIN } from './kit/gateway-process.ts';
import { isFree, LocalService, requireFreePorts } from './kit/local-service.ts';
import { eventually, within } from './kit/patience.ts';
import { childrenOf, isRunning } from './kit/process-facts.ts';
import { requirePrograms } from './kit/programs.ts';
import { type Finished, run, Spawned } from './kit/spawned.ts';

const { curl, npm } = requirePrograms('curl', 'npm', 'sh');
const PORTS = [8443, 8080, 4600, 9001, 9002, 9003];
const AUTHORITY = join(CHECKOUT, 'certs/ca.pem');

function startByNpm(): Promise<GatewayProcess> {
  return GatewayProcess.spawn(npm, ['start'], { cwd: CHECKOUT, env: { NO_COLOR: '1' } });
}

/** Trusts the local CA alone; prints the protocol version after the body. */
function get(url: string, ...options: readonly string[]): Promise<Finished> {
  const args = ['--silent', '--show-error', '--cacert', AUTHORITY, '--write-out', '\n%{http_version} %{http_code}'];
  return run(curl, [...args, ...options, url], { cwd: CHECKOUT });
}

beforeAll(() => requireFreePorts(PORTS, '`npm start` and this test need it; end what listens there'));

describe('npm start', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await startByNpm();
  });
  afterAll(() => gateway?.stop());

  test('says where to go', () => {
    const banner = gateway.process.stderr.text;
    expect(banner).toContain('https://localhost:8443/');
    expect(banner).toContain('http://localhost:8080/');
    expect(banner).toContain('http://127.0.0.1:4600/');
    expect(banner).toMatch(/HEADGATE \d+\.\d+\.\d+ {2}ready in \d+ ms/);
    expect(banner).toContain('certs/ca.pem');
  });

  test('serves curl over HTTP/2 with a certificate that the local CA vouches for', async () => {
    const { code, stdout, stderr } = await get('https://localhost:8443/fine/hello?a=1', '--http2');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/\n2 200$/);
    expect(JSON.parse(stdout.slice(0, stdout.lastIndexOf('\n')))).toMatchObject({
      service: 'fine',
      method: 'GET',
      url: '/hello?a=1',
      headers: { host: 'localhost:8443', 'x-forwarded-proto': 'https' },
    });
  });

  test('serves curl over HTTP/1.1, by name and by address', async () => {
    for (const host of ['localhost', '127.0.0.1']) {
      const { code, stdout } = await get(`https://${host}:8443/fine/`, '--http1.1');
      expect({ code, last: stdout.split('\n').at(-1) }).toEqual({ code: 0, last: '1.1 200' });
    }
  });

  test('shows no certificate that a client without the local CA would accept', async () => {
    const { code } = await run(curl, ['--silent', 'https://localhost:8443/fine/'], { cwd: CHECKOUT });
    expect(code).toBe(60);
  });

  test('redirects HTTP to the HTTPS port, path and query kept', async () => {
    const reply = await ask('http://localhost:8080/fine/a%20b?c=1&c=2');
    expect(reply.status).toBe(301);
    expect(reply.headers.location).toBe('https://localhost:8443/fine/a%20b?c=1&c=2');
    const { stdout } = await get('http://localhost:8080/fine/hello', '--location');
    expect(stdout).toMatch(/\n2 200$/);
  });

  test('keeps its keys from other users', () => {
    const certs = readdirSync(join(CHECKOUT, 'certs'), { recursive: true, encoding: 'utf8' });
    const keys = certs.filter((name) => name.endsWith('-key.pem'));
    expect(keys).toEqual(expect.arrayContaining(['ca-key.pem', 'local/localhost-key.pem']));
    for (const name of keys) {
      const mode = statSync(join(CHECKOUT, 'certs', name)).mode & 0o777;
      expect(`${name} ${mode.toString(8)}`).toBe(`${name} 600`);
    }
  });

  test('answers on the admin listener: liveness, readiness, status, dashboard', async () => {
    expect((await ask('http://127.0.0.1:4600/healthz')).status).toBe(200);
    expect((await ask('http://127.0.0.1:4600/readyz')).status).toBe(200);
    const status = await gateway.status();
    expect(status).toMatchObject({ phase: 'serving' });
    expect(status.listeners.map(({ name }) => name).sort()).toEqual(['http', 'https']);
    expect(status.pools.map(({ name }) => name).sort()).toEqual(['fine', 'flaky', 'slow']);
    const dashboard = await ask('http://127.0.0.1:4600/');
    expect(dashboard.headers['content-type']).toMatch(/^text\/html/);
    expect(dashboard.text).toContain('<title>Headgate</title>');
  });

  test('answers a page of another name on the admin listener with nothing (DNS rebinding)', async () => {
    const reply = await ask('http://127.0.0.1:4600/status', { headers: { Host: 'evil.example' } });
    expect(reply.status).toBe(421);
    expect(reply.text).not.toContain('pools');
  });

  test('writes an access-log line of JSON with the documented keys', async () => {
    await get('https://localhost:8443/fine/for-the-log?secret=1', '--http2');
    const line = await gateway.process.stdout.line((text) => text.includes('/fine/for-the-log'));
    expect(line).not.toContain('secret');
    const entry = JSON.parse(line) as Record<string, unknown>;
    expect(Object.keys(entry).sort()).toEqual(documentedKeys().sort());
    expect(entry).toMatchObject({
      method: 'GET',
      path: '/fine/for-the-log',
      protocol: 'HTTP/2',
      listener: 'https',
      status: 200,
      route: 'fine',
      pool: 'fine',
      end: 'complete',
      error: null,
    });
  });

  test('repeats a GET whose connection the flaky service cuts, and passes its 500 on', async () => {
    const statuses: (string | undefined)[] = [];
    for (let i = 0; i < 6; i += 1) {
      const { stdout } = await get('https://localhost:8443/flaky/', '--http1.1');
      statuses.push(stdout.split(' ').at(-1));
    }
    expect(statuses).toEqual(['200', '200', '500', '200', '200', '200']);
  });

  test('passes SIGTERM on, ends with 0 and leaves no process and no port behind', async () => {
    const [gatewayPid, ...others] = childrenOf(gateway.pid);
    expect(others).toEqual([]);
    expect(readFileSync(`/proc/${gatewayPid}/cmdline`, 'utf8')).toContain('src/main.ts');
    gateway.process.signal('SIGTERM');
    expect(await within(gateway.process.ended, 'npm to end')).toEqual({ code: 0, signal: null });
    await eventually(() => (isRunning(gatewayPid ?? 0) ? null : true), 'the gateway to end');
    for (const port of PORTS) expect(`${port} ${await isFree(port)}`).toBe(`${port} true`);
    expect(gateway.complaints()).toEqual([]);
  });
});

test('the gateway process itself ends with 0 on SIGTERM and on SIGINT', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const gateway = await GatewayProcess.spawn(process.execPath, ['src/main.ts', 'start', '--demo'], { cwd: CHECKOUT });
    try {
      gateway.process.signal(signal);
      expect(await within(gateway.process.ended, `the end after ${signal}`)).toEqual({ code: 0, signal: null });
    } finally {
      await gateway.stop();
    }
  }
});

test('a second start says which port is taken and ends with 75', async () => {
  const gateway = await GatewayProcess.spawn(process.execPath, ['src/main.ts', 'start', '--demo'], { cwd: CHECKOUT });
  try {
    const second = await run(process.execPath, ['src/main.ts', 'start'], { cwd: CHECKOUT });
    expect(second.code).toBe(75);
    expect(second.stderr).toMatch(
      /^headgate: Cannot listen on port 8443 \(listener “https”, routes\/listeners\.yaml:\d+\): the port is in use/,
    );
    expect(second.stderr).not.toMatch(/^\s+at /m);
  } finally {
    await gateway.stop();
  }
});

test('a start that fails for a taken port does not stay for the sake of its demo services', async () => {
  const taken = await LocalService.listen((_request, response) => response.end(), { port: 8443, address: '::' });
  try {
    const { code } = await run(process.execPath, ['src/main.ts', 'start', '--demo'], { cwd: CHECKOUT });
    expect(code).toBe(75);
  } finally {
    await taken.close();
  }
});

test('a demo service on its own, as in a container, answers and ends with 0 on SIGTERM', async () => {
  const port = await deadPort();
  const demo = new Spawned(process.execPath, [MAIN, 'demo', 'fine', '--port', String(port)], { cwd: CHECKOUT });
  try {
    const url = `http://127.0.0.1:${port}/x`;
    const reply = await eventually(() => ask(url).catch(() => null), 'the demo service to listen');
    expect(reply.status).toBe(200);
    demo.signal('SIGTERM');
    expect(await within(demo.ended, 'the demo service to end')).toEqual({ code: 0, signal: null });
  } finally {
    await demo.stop();
  }
});

/** The keys that every exchange has: the first column of the first table in "Access log" of docs/operations.md. */
function documentedKeys(): string[] {
  const text = readFileSync(join(CHECKOUT, 'docs/operations.md'), 'utf8');
  const section = text.split('## Access log')[1]?.split('\nSome exchanges have more to tell:')[0] ?? '';
  const columns = section.split('\n').flatMap((line) => /^\| (`.*?) \|/.exec(line)?.[1] ?? []);
  return columns.flatMap((column) => [...column.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''));
}
