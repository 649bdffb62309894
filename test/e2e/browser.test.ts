import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { configFromObject } from '../../src/config/load.ts';
import { startGateway } from '../../src/gateway.ts';
import { deadPort } from '../kit/origin.ts';
import { openBrowser } from './kit/browser.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { LocalService } from './kit/local-service.ts';
import { eventually } from './kit/patience.ts';
import { requirePrograms } from './kit/programs.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const programs = requirePrograms('chromium', 'certutil');
const directory = temporaryDirectory();
/** HEADGATE_SCREENSHOTS=folder keeps what the browser saw. */
const screenshots = process.env['HEADGATE_SCREENSHOTS'] ?? directory;

let service: LocalService;
let sockets: WebSocketServer;
let gateway: GatewayProcess;
let browser: BrowserContext;
let page: Page;
let sleepingPort: number;
/** The open event streams. */
let streams: ServerResponse[] = [];

beforeAll(async () => {
  service = await LocalService.listen((request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      response.flushHeaders();
      streams.push(response);
    } else if (request.url === '/echo') {
      response.setHeader('X-Method', request.method ?? '');
      request.pipe(response);
    } else if (request.url?.startsWith('/api') === true) {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ path: request.url }));
    } else response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Shop</title><h1>It works</h1>');
  });
  sockets = new WebSocketServer({ server: service.server, path: '/socket' });
  sockets.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  );
  sleepingPort = await deadPort();
  const args = [
    `/sleeping=${sleepingPort}`,
    `/=${service.port}`,
    '--port',
    '0',
    '--http-port',
    '0',
    '--admin-port',
    '0',
  ];
  gateway = await GatewayProcess.run(args, directory);
  browser = await openBrowser(programs, { directory, authorityFile: gateway.authorityFile });
});

afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
  sockets?.close();
  await service?.close();
});

beforeEach(async () => {
  streams = [];
  page = await browser.newPage();
  await page.goto(site('/'));
  return () => page.close();
});

function site(path: string): string {
  return `https://localhost:${gateway.port('https')}${path}`;
}

/** Runs `script` in the page: its text, since this program's types know no browser. */
async function inPage<T>(script: string): Promise<T> {
  return (await page.evaluate(script)) as T;
}

test('the page loads over HTTP/2, on a certificate that the browser trusts', async () => {
  expect(await page.title()).toBe('Shop');
  const response = await page.goto(site('/again'));
  const security = await response?.securityDetails();
  expect(security).toMatchObject({ protocol: 'TLS 1.3', subjectName: 'localhost' });
  expect(security?.issuer).toMatch(/Headgate local CA/);
  expect(await inPage("performance.getEntriesByType('navigation')[0].nextHopProtocol")).toBe('h2');
  expect(await inPage('isSecureContext')).toBe(true);
  await page.screenshot({ path: join(screenshots, 'page.png') });
});

test('a browser that does not trust the local CA refuses the page', async () => {
  const stranger = await openBrowser(programs, { directory, authorityFile: null });
  try {
    const strange = await stranger.newPage();
    await expect(strange.goto(site('/'))).rejects.toThrow('ERR_CERT_AUTHORITY_INVALID');
  } finally {
    await stranger.close();
  }
});

test('plain HTTP leads to the same page over HTTPS', async () => {
  const response = await page.goto(`http://localhost:${gateway.port('http')}/from-http`);
  expect(response?.url()).toBe(site('/from-http'));
  expect(response?.status()).toBe(200);
});

test('fetch POSTs a megabyte and gets it back', async () => {
  const echoed = await inPage<{ status: number; method: string; same: boolean; protocol: string }>(`(async () => {
    const body = 'ä'.repeat(500_000);
    const reply = await fetch('/echo', { method: 'POST', body });
    const same = (await reply.text()) === body;
    const [entry] = performance.getEntriesByName(reply.url);
    return { status: reply.status, method: reply.headers.get('x-method'), same, protocol: entry.nextHopProtocol };
  })()`);
  expect(echoed).toEqual({ status: 200, method: 'POST', same: true, protocol: 'h2' });
});

test('thirty requests at once come back right, over one connection', async () => {
  const before = await connectionsOf('https');
  const paths = await inPage<string[]>(`Promise.all(Array.from({ length: 30 }, async (_, i) => {
    const reply = await fetch('/api/' + i);
    return (await reply.json()).path;
  }))`);
  expect(paths).toEqual(Array.from({ length: 30 }, (_, i) => `/api/${i}`));
  expect(await connectionsOf('https')).toBe(before);
});

test('an EventSource hears every event when it is sent, not when the stream ends', async () => {
  await inPage(`(() => {
    globalThis.heard = [];
    globalThis.events = new EventSource('/events');
    events.onmessage = (event) => heard.push(event.data);
  })()`);
  const stream = await eventually(() => streams[0] ?? null, 'the event stream to be asked for');
  for (const word of ['one', 'two', 'three']) {
    stream.write(`data: ${word}\n\n`);
    // The next one is sent only after this one was heard: nothing in between may wait for more.
    await page.waitForFunction(`heard.at(-1) === '${word}'`);
  }
  expect(await inPage('heard')).toEqual(['one', 'two', 'three']);
  await inPage('events.close()');
  await eventually(() => (stream.destroyed ? true : null), 'the endpoint to hear that the client left');
});

test('a WebSocket echoes text and binary', async () => {
  const echoed = await inPage<{ text: string; bytes: number; code: number }>(`(async () => {
    const socket = new WebSocket('wss://' + location.host + '/socket');
    socket.binaryType = 'arraybuffer';
    const next = () => new Promise((resolve, reject) => {
      socket.onmessage = (event) => resolve(event.data);
      socket.onerror = () => reject(new Error('the WebSocket failed'));
    });
    await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = () => reject(new Error('no WebSocket')); });
    let answer = next();
    socket.send('grüße');
    const text = await answer;
    answer = next();
    socket.send(new Uint8Array(100_000));
    const bytes = (await answer).byteLength;
    const closed = new Promise((resolve) => { socket.onclose = (event) => resolve(event.code); });
    socket.close(1000);
    return { text, bytes, code: await closed };
  })()`);
  expect(echoed).toEqual({ text: 'grüße', bytes: 100_000, code: 1000 });
});

test('a target that does not listen shows a page that reloads itself until the target is there', async () => {
  await page.goto(site('/sleeping/page'));
  expect(await page.textContent('h1')).toBe('502');
  expect(await page.textContent('body')).toContain(String(sleepingPort));
  await page.screenshot({ path: join(screenshots, 'unreachable.png') });
  const awake = await LocalService.listen((_request, response) => response.end('awake'), { port: sleepingPort });
  try {
    await page.waitForFunction("document.body.textContent === 'awake'");
  } finally {
    await awake.close();
  }
});

test('the dashboard shows listeners and pools, without a mistake on its console', async () => {
  const mistakes: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') mistakes.push(message.text());
  });
  page.on('pageerror', (error) => mistakes.push(String(error)));
  await page.goto(`${gateway.adminUrl}/`);
  await page.waitForSelector('#pools tr');
  expect(await page.textContent('#phase')).toMatch(/^serving since /);
  expect(await page.locator('#listeners tr').allTextContents()).toHaveLength(2);
  const pools = await page.locator('#pools tr').allTextContents();
  expect(pools).toHaveLength(2);
  expect(pools.join('\n')).toContain(`localhost:${service.port}`);
  await page.screenshot({ path: join(screenshots, 'dashboard.png') });
  expect(mistakes).toEqual([]);
});

test('where others can reach it, the dashboard asks for the token, and forgets a wrong one', async () => {
  const loaded = configFromObject({
    listeners: { web: { address: '127.0.0.1', port: 0 } },
    admin: { address: '0.0.0.0', port: 0, token: 'a-token-of-sixteen-or-more' },
    routes: [{ respond: { status: 200 } }],
    pools: { shop: { endpoints: ['127.0.0.1:9'] } },
  });
  if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
  const guarded = await startGateway({ ...loaded, certificatesDirectory: directory, logLevel: 'silent' });
  try {
    await page.goto(`${guarded.adminUrl}/`);
    for (const token of ['not-the-token', 'a-token-of-sixteen-or-more']) {
      await page.waitForSelector('#token:not([hidden])');
      await page.fill('#token input', token);
      await page.click('#token button');
    }
    await page.waitForSelector('#pools tr');
    expect(await page.textContent('#phase')).toMatch(/^serving since /);
  } finally {
    await guarded.close();
  }
});

test('a page of the gateway cannot read the admin listener', async () => {
  const outcome = await inPage<string>(`fetch('${gateway.adminUrl}/status').then(() => 'read', () => 'refused')`);
  expect(outcome).toBe('refused');
});

test('it did all that without a complaint of its own', () => {
  expect(gateway.complaints()).toEqual([]);
});

async function connectionsOf(name: string): Promise<number | undefined> {
  const { listeners } = await gateway.status();
  return listeners.find((listener) => listener.name === name)?.connections;
}
