import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock, type TimerHandle } from '../../src/clock.ts';
import { configFromObject } from '../../src/config/load.ts';
import type { ConfigInput } from '../../src/config/schema/config.ts';
import { startGateway } from '../../src/gateway.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { eventually, within } from './kit/patience.ts';
import { Pebble, type PebbleOptions } from './kit/pebble.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const root = temporaryDirectory();
const NAMES = ['shop.example', 'www.shop.example', 'api.shop.example'];
const DAY_MS = 86_400_000;

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
});

/** An empty directory and an authority of its own. */
async function scene(options: PebbleOptions = {}): Promise<{ directory: string; pebble: Pebble }> {
  const directory = mkdtempSync(join(root, 'acme-'));
  const pebble = await Pebble.start(directory, options);
  stops.push(() => pebble.stop());
  return { directory, pebble };
}

type PebblePlaces = Pick<Pebble, 'directoryUrl' | 'caFile' | 'httpPort' | 'tlsPort'>;
type Challenge = 'http-01' | 'tls-alpn-01';

function configuration(pebble: PebblePlaces, challenge: Challenge, more: object = {}): ConfigInput {
  const { directoryUrl: directory, caFile: ca, httpPort, tlsPort } = pebble;
  const acme = { names: NAMES, email: 'ops@shop.example', directory, ca, challenge, ...more };
  return {
    listeners: {
      https: { address: '127.0.0.1', port: tlsPort, tls: { acme, names: ['localhost'] } },
      http: { address: '127.0.0.1', port: httpPort, redirectTo: 'https' },
    },
    accessLog: { enabled: false },
    routes: [{ respond: { status: 200, body: 'it works' } }],
  } as ConfigInput;
}

async function startProcess(config: ConfigInput, directory: string): Promise<GatewayProcess> {
  const gateway = await GatewayProcess.start(config, directory);
  stops.push(() => gateway.stop());
  return gateway;
}

/** A finished handshake for `servername`, verified against `ca`. */
async function handshake(port: number, servername: string, ca: string): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, servername, ca, ALPNProtocols: ['http/1.1'] });
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  socket.once('secureConnect', () => resolve(socket));
  socket.on('error', reject);
  return within(promise, `a handshake for ${servername}`);
}

/** Serial number of the certificate that a client of `name` is shown, once it has verified it. */
async function serialOf(port: number, name: string, ca: string): Promise<string> {
  const socket = await handshake(port, name, ca);
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

/** Every file below the store of the authority. */
function stored(directory: string): string[] {
  const store = join(directory, 'certs', 'acme');
  const names = readdirSync(store, { recursive: true, encoding: 'utf8' });
  return names.map((name) => join(store, name)).filter((file) => statSync(file).isFile());
}

function ask(port: number, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' });
}

describe.each<Challenge>(['http-01', 'tls-alpn-01'])('by %s', (challenge) => {
  test('a certificate for several names is ordered at the first start, and used again at the next', async () => {
    const { directory, pebble } = await scene();
    const config = configuration(pebble, challenge);
    const first = await startProcess(config, directory);
    await first.process.stdout.line(/"Certificate obtained"/);
    const ca = await pebble.root();
    const serials = await Promise.all(NAMES.map((name) => serialOf(pebble.tlsPort, name, ca)));
    expect(new Set(serials).size).toBe(1);
    // Beside it, what another source has, and what was there before anybody asked for proof.
    await serialOf(pebble.tlsPort, 'localhost', first.authority());
    const redirect = await ask(pebble.httpPort, '/.well-known/acme-challenge/some-token-that-nobody-gave');
    expect(redirect.status).toBe(301);
    expect(first.complaints()).toEqual([]);
    await first.terminate();

    const second = await startProcess(config, directory);
    expect(await serialOf(pebble.tlsPort, 'shop.example', ca)).toBe(serials[0]);
    expect(second.process.stdout.text).not.toContain('Certificate obtained');
    expect(pebble.count(/issued certificate/i)).toBe(1);
  });
});

test('keys and account are kept for their owner alone, and a lost key is a reason to order anew', async () => {
  const { directory, pebble } = await scene();
  const config = configuration(pebble, 'http-01');
  const first = await startProcess(config, directory);
  await first.process.stdout.line(/"Certificate obtained"/);
  await first.terminate();
  const files = stored(directory);
  expect(files).toHaveLength(2);
  for (const file of files) expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(directory, 'certs', 'acme')).mode & 0o777).toBe(0o700);
  const certificate = files.find((file) => file.endsWith('.pem')) ?? '';
  const pem = readFileSync(certificate, 'utf8');
  expect(new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERT'))).checkPrivateKey(createPrivateKey(pem))).toBe(
    true,
  );
  rmSync(certificate);
  const second = await startProcess(config, directory);
  await second.process.stdout.line(/"Certificate obtained"/);
  expect(pebble.count(/issued certificate/i)).toBe(2);
});

test('an authority that calls every third nonce bad is served all the same', async () => {
  const { directory, pebble } = await scene({ badNonces: 33 });
  const gateway = await startProcess(configuration(pebble, 'tls-alpn-01'), directory);
  await gateway.process.stdout.line(/"Certificate obtained"/);
  await serialOf(pebble.tlsPort, 'shop.example', await pebble.root());
});

test('an account is bound to the external one that the authority knows', async () => {
  const hmac = Buffer.alloc(32, 5).toString('base64url');
  const { directory, pebble } = await scene({ externalAccount: hmac });
  const config = configuration(pebble, 'http-01', { eab: { kid: 'kid-1', hmac } });
  const gateway = await startProcess(config, directory);
  await gateway.process.stdout.line(/"Certificate obtained"/);
});

test('an order that fails is told in the words of the authority; until it works, its names get no handshake', async () => {
  const { directory, pebble } = await scene();
  // The authority will ask on a port where nobody listens.
  const config = configuration({ ...pebble, httpPort: 0 }, 'http-01');
  const gateway = await startProcess(config, directory);
  const line = JSON.parse(await gateway.process.stdout.line(/"Certificate not obtained"/)) as Record<string, string>;
  expect(line).toMatchObject({ listener: 'https', reason: 'connection' });
  expect(line['detail']).toMatch(/^(\w+\.)?shop\.example: connection: .*connection refused/);
  expect(Date.parse(line['retryAt'] ?? '')).toBeGreaterThan(Date.now() + 30_000);
  await expect(handshake(pebble.tlsPort, 'shop.example', await pebble.root())).rejects.toThrow(/alert internal error/i);
  await gateway.process.stdout.line(/"reason":"certificate-pending"/);
  await serialOf(pebble.tlsPort, 'localhost', gateway.authority());
  expect(gateway.complaints()).toEqual([]);
});

/** The system's clock, which can be set forward: whoever waits until then is called at once. */
class SettableClock implements Clock {
  readonly #waiting = new Map<object, { readonly dueMs: number; readonly callback: () => void }>();
  #aheadMs = 0;

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  monotonic(): number {
    return performance.now();
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    const handle: { timer: TimerHandle } = { timer: {} };
    const run = (): void => {
      this.cancel(handle);
      callback();
    };
    this.#waiting.set(handle, { dueMs: this.now() + delayMs, callback: run });
    handle.timer = systemClock.after(delayMs, run);
    return handle;
  }

  cancel(handle: TimerHandle): void {
    this.#waiting.delete(handle);
    systemClock.cancel((handle as { timer: TimerHandle }).timer);
  }

  /** Only timers of an hour or more are for dates; all others go on as they are. */
  advance(ms: number): void {
    this.#aheadMs += ms;
    for (const { dueMs, callback } of [...this.#waiting.values()]) {
      if (dueMs - this.now() + ms >= 3_000_000 && dueMs <= this.now()) callback();
    }
  }
}

test('a certificate is renewed when a third of its lifetime is left; open connections are not touched', async () => {
  const { directory, pebble } = await scene();
  const loaded = configFromObject({ ...configuration(pebble, 'tls-alpn-01'), admin: { port: 0 } });
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ message }) => message).join('\n'));
  const clock = new SettableClock();
  const { config, origins } = loaded;
  const certificatesDirectory = join(directory, 'certs');
  const gateway = await startGateway({ config, origins, certificatesDirectory, logLevel: 'silent', clock });
  stops.push(() => gateway.close());
  const ca = await pebble.root();
  const shown = (): Promise<string | null> => serialOf(pebble.tlsPort, 'shop.example', ca).catch(() => null);
  const before = await eventually(shown, 'the first certificate');
  const open = await handshake(pebble.tlsPort, 'shop.example', ca);
  clock.advance(59 * DAY_MS);
  expect(await serialOf(pebble.tlsPort, 'shop.example', ca)).toBe(before);
  clock.advance(3 * DAY_MS);
  // Not once without one.
  const renewed = async (): Promise<true | null> =>
    (await serialOf(pebble.tlsPort, 'shop.example', ca)) === before ? null : true;
  await eventually(renewed, 'the next certificate');
  expect(pebble.count(/issued certificate/i)).toBe(2);
  open.write('GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n');
  const answer = await within(new Promise((resolve) => open.once('data', resolve)), 'an answer');
  expect(String(answer)).toContain('it works');
  open.destroy();
});
