import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser } from './kit/browser.ts';
import { GatewayProcess, MAIN } from './kit/gateway-process.ts';
import { LocalService } from './kit/local-service.ts';
import { requirePrograms } from './kit/programs.ts';
import { type Finished, run } from './kit/spawned.ts';
import { javaTrusts, SystemStore, trustedNow } from './kit/system-store.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const programs = requirePrograms('chromium', 'certutil', 'curl', 'update-ca-certificates');
const directory = temporaryDirectory();
const home = join(directory, 'home');
const firefox = join(home, '.mozilla/firefox/abc.default');
const FREE_PORTS = ['--port', '0', '--http-port', '0', '--admin-port', '0'];

/** Where Java is, update-ca-certificates --fresh copies every authority into its store, one by one. */
const PATIENCE_MS = 110_000;

let store: SystemStore;
/** What the machine trusts without any CA of Headgate. */
let untrusted: string;
let service: LocalService;
let gateway: GatewayProcess;

beforeAll(async () => {
  if (process.getuid?.() !== 0) throw new Error('This changes the trusted authorities of the machine: run it as root');
  store = new SystemStore();
  // A machine on which somebody trusts a CA of Headgate already would not refuse anything.
  await headgate('untrust');
  untrusted = trustedNow();
  mkdirSync(firefox, { recursive: true });
  await run(programs.certutil, ['-N', '-d', `sql:${firefox}`, '--empty-password'], { cwd: home });
  service = await LocalService.listen((_request, response) => response.end('<title>Works</title>'));
  gateway = await startGateway();
});

afterAll(async () => {
  store?.restore();
  await gateway?.stop();
  await service?.close();
});

function startGateway(): Promise<GatewayProcess> {
  const env = { HEADGATE_CERTS: join(directory, 'certs'), HOME: home, NO_COLOR: '1' };
  const args = [MAIN, `*.shop.test=${service.port}`, `/=${service.port}`, ...FREE_PORTS];
  return GatewayProcess.spawn(process.execPath, args, { cwd: directory, env });
}

function headgate(...args: string[]): Promise<Finished> {
  const env = { HEADGATE_CERTS: join(directory, 'certs'), HOME: home, SUDO_USER: undefined };
  mkdirSync(home, { recursive: true });
  return run(process.execPath, [MAIN, ...args], { cwd: directory, env, patienceMs: PATIENCE_MS });
}

interface StoreReport {
  readonly store: string;
  readonly outcome: string;
  readonly commands: readonly string[];
}

async function outcomes(...args: string[]): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await headgate(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { stores } = JSON.parse(stdout) as { stores: StoreReport[] };
  return Object.fromEntries(stores.map((report) => [report.store, report.outcome]));
}

/** Exit code of curl; 60 is a certificate that it does not trust. No resolver is needed: it knows *.localhost, and is told the rest. */
async function curl(host: string): Promise<number | null> {
  const port = gateway.port('https');
  const url = `https://${host}:${port}/`;
  const { code } = await run(programs.curl, ['-sS', '-o', '/dev/null', '--resolve', `${host}:${port}:127.0.0.1`, url], {
    cwd: directory,
    env: { CURL_CA_BUNDLE: undefined, SSL_CERT_FILE: undefined, HOME: home },
  });
  return code;
}

/** The page's title in a Chromium that has just been started, or its error. */
async function chromium(host: string): Promise<string> {
  const browser = await openBrowser(programs, { directory, authorityFile: null, home });
  try {
    const page = await browser.newPage();
    await page.goto(`https://${host}:${gateway.port('https')}/`);
    return await page.title();
  } catch (error) {
    return /ERR_[A-Z_]+/.exec((error as Error).message)?.[0] ?? String(error);
  } finally {
    await browser.close();
  }
}

function chromiumDatabase(): string {
  const [found] = ['.pki/nssdb', '.local/share/pki/nssdb']
    .map((path) => join(home, path))
    .filter((path) => existsSync(path));
  if (found === undefined) throw new Error('Chromium has made no NSS database');
  return found;
}

async function nicknamesIn(database: string): Promise<string[]> {
  const { stdout } = await run(programs.certutil, ['-L', '-d', `sql:${database}`], { cwd: directory });
  return stdout.split('\n').filter((line) => line.startsWith('headgate-local-ca-'));
}

test('before: nobody trusts it, and the banner says so', async () => {
  expect(await curl('myapp.localhost')).toBe(60);
  expect(await chromium('myapp.localhost')).toBe('ERR_CERT_AUTHORITY_INVALID');
  expect(gateway.process.stderr.text).toMatch(
    /TLS: the local CA \S+ca\.pem is not trusted yet\. Run {2}headgate trust/,
  );
});

test('headgate trust: curl, Chromium and Firefox trust certificates that are minted when they ask', async () => {
  expect(await outcomes('trust')).toEqual({
    system: 'changed',
    // Made by the Chromium of the test before; older ones make ~/.pki/nssdb.
    [`nss:${chromiumDatabase()}`]: 'changed',
    [`nss:${firefox}`]: 'changed',
  });
  for (const host of ['myapp.localhost', 'api.myapp.localhost', 'pr-7.shop.test', 'localhost'])
    expect(await curl(host)).toBe(0);
  expect(await curl('elsewhere.test')).toBe(60);
  expect(await chromium('myapp.localhost')).toBe('Works');
  expect(await nicknamesIn(firefox)).toEqual([expect.stringMatching(/^headgate-local-ca-[0-9a-f]{16} +C,, *$/)]);
  expect(readdirSync(join(directory, 'certs/local'))).toContain('myapp.localhost.pem');
});

test('a second time it changes nothing', async () => {
  const before = trustedNow();
  expect(new Set(Object.values(await outcomes('trust')))).toEqual(new Set(['unchanged']));
  expect(trustedNow()).toBe(before);
});

test('the banner has nothing to say any more', async () => {
  const other = await startGateway();
  try {
    expect(other.process.stderr.text).not.toContain('not trusted');
    expect(other.complaints()).toEqual([]);
  } finally {
    await other.stop();
  }
});

test('headgate untrust takes out exactly what trust put in, an older CA too', async () => {
  await headgate('cert', 'x.localhost', '--certs', 'older');
  await outcomes('trust', '--certs', 'older');
  expect(await nicknamesIn(firefox)).toHaveLength(2);
  expect(new Set(Object.values(await outcomes('untrust')))).toEqual(new Set(['changed']));
  expect(await nicknamesIn(firefox)).toEqual([]);
  expect(trustedNow()).toBe(untrusted);
  expect(javaTrusts('headgate')).toBe(false);
  expect(await curl('myapp.localhost')).toBe(60);
  expect(await chromium('myapp.localhost')).toBe('ERR_CERT_AUTHORITY_INVALID');
  expect(new Set(Object.values(await outcomes('untrust')))).toEqual(new Set(['unchanged']));
});

test('headgate cert: OpenSSL verifies what it makes, for every name', async () => {
  const { code, stdout } = await headgate(
    'cert',
    'db.localhost',
    '*.db.localhost',
    '10.0.0.7',
    '--out',
    'tls',
    '--json',
  );
  expect(code).toBe(0);
  const { certificate, key, authority } = JSON.parse(stdout) as Record<string, string>;
  const database = await run(process.execPath, ['-e', SERVER, certificate ?? '', key ?? '', authority ?? ''], {
    cwd: directory,
  });
  expect(database).toMatchObject({ code: 0, stdout: 'db.localhost a.db.localhost 10.0.0.7 ' });
});

/** A TLS server on the certificate, which OpenSSL's client verifies for each name. */
const SERVER = `
const { readFileSync: read } = require('node:fs'), tls = require('node:tls'), { once } = require('node:events');
const [cert, key, ca] = process.argv.slice(1).map((file) => read(file));
const server = tls.createServer({ cert, key }).listen(0, '127.0.0.1', async () => {
  for (const name of ['db.localhost', 'a.db.localhost', '10.0.0.7']) {
    const check = { port: server.address().port, host: '127.0.0.1', ca };
    const socket = tls.connect({ ...check, checkServerIdentity: (_, shown) => tls.checkServerIdentity(name, shown) });
    await once(socket, 'secureConnect');
    process.stdout.write(name + ' ');
    socket.destroy();
  }
  server.close();
});`;
