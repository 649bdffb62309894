import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { configFromObject } from '../../src/config/load.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { openBrowser } from './kit/browser.ts';
import { LocalService } from './kit/local-service.ts';
import { requirePrograms } from './kit/programs.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const programs = requirePrograms('chromium', 'certutil');
const directory = temporaryDirectory();

/** What the endpoint of the API has heard: `PUT /data session=s1`. */
let heard: string[] = [];
let friend: LocalService;
let stranger: LocalService;
let api: LocalService;
let gateway: Gateway;
let browser: BrowserContext;

const page = (title: string) =>
  LocalService.listen((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end(`<!doctype html><title>${title}</title>`);
  });

beforeAll(async () => {
  friend = await page('friend');
  stranger = await page('stranger');
  api = await LocalService.listen((request, response) => {
    heard.push(`${request.method} ${request.url} ${request.headers.cookie ?? '-'}`);
    // An endpoint that allows everybody: the gateway's word counts.
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('X-Total', '7').setHeader('X-Inner', 'secret').setHeader('Content-Type', 'text/plain');
    response.setHeader('Cache-Control', request.url === '/stored' ? 'max-age=60' : 'no-store').end('from the endpoint');
  });
  const cors = {
    ...{ origins: [`http://localhost:${friend.port}`], credentials: true, methods: ['PUT'] },
    ...{ headers: ['X-Token'], exposedHeaders: ['X-Total'], maxAge: 0 as const },
  };
  const loaded = configFromObject({
    listeners: { web: { address: '127.0.0.1', port: 0 } },
    pools: { api: { endpoints: [`127.0.0.1:${api.port}`] } },
    routes: [
      { match: { path: '/guarded' }, pool: 'api', csrf: {}, cors },
      { match: { path: '/down' }, pool: 'api', cors, maintenance: { enabled: true } },
      { match: { path: '/favicon.ico' }, respond: { status: 204 } },
      { match: { path: '/home' }, respond: { body: '<!doctype html>', headers: { 'Content-Type': 'text/html' } } },
      { pool: 'api', cors, cache: true },
    ],
  });
  if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
  gateway = await startGateway({
    ...loaded,
    certificatesDirectory: directory,
    logLevel: 'silent',
    observer: { finished: () => {}, streamFinished: () => {} },
  });
  browser = await openBrowser(programs, { directory, authorityFile: null });
  await browser.addCookies([{ name: 'session', value: 's1', url: `http://localhost:${gatewayPort()}` }]);
});

afterAll(async () => {
  await browser?.close();
  await gateway?.close();
  await Promise.all([friend?.close(), stranger?.close(), api?.close()]);
});

beforeEach(() => {
  heard = [];
});

function gatewayPort(): string {
  return new URL(gateway.urls.get('web') ?? '').port;
}

/** What a script of a page at `port` gets: status, text, and the fields that it may read; or the name of the error. */
async function fetched(port: number | string, path: string, options: object = {}): Promise<readonly unknown[]> {
  return inPage(port, '/home', async (tab) => {
    const script = `(async () => {
      try {
        const reply = await fetch('http://localhost:${gatewayPort()}${path}', ${JSON.stringify(options)});
        return [reply.status, await reply.text(), reply.headers.get('x-total'), reply.headers.get('x-inner')];
      } catch (error) {
        return [error.name];
      }
    })()`;
    return (await tab.evaluate(script)) as readonly unknown[];
  });
}

async function inPage<T>(port: number | string, path: string, use: (tab: Page) => Promise<T>): Promise<T> {
  const tab = await browser.newPage();
  try {
    await tab.goto(`http://localhost:${port}${path}`);
    return await use(tab);
  } finally {
    await tab.close();
  }
}

const PUT = { method: 'PUT', credentials: 'include', headers: { 'X-Token': '1' }, body: 'a' };

test('a script of an allowed origin sends what asks for a preflight, with cookies, and reads the answer', async () => {
  expect(await fetched(friend.port, '/data', PUT)).toEqual([200, 'from the endpoint', '7', null]);
  expect(heard).toEqual(['PUT /data session=s1']);
});

test('one of another origin does not get beyond the preflight, whatever the endpoint would say', async () => {
  expect(await fetched(stranger.port, '/data', PUT)).toEqual(['TypeError']);
  expect(heard).toEqual([]);
});

test('a method and a field that are not allowed are refused by the browser', async () => {
  expect(await fetched(friend.port, '/data', { ...PUT, method: 'DELETE' })).toEqual(['TypeError']);
  expect(await fetched(friend.port, '/data', { ...PUT, headers: { 'X-Other': '1' } })).toEqual(['TypeError']);
  expect(heard).toEqual([]);
});

test('one stored response is read by who may, and not by who may not', async () => {
  const plain = { credentials: 'include' };
  expect(await fetched(friend.port, '/stored', plain)).toEqual([200, 'from the endpoint', '7', null]);
  expect(await fetched(stranger.port, '/stored', plain)).toEqual(['TypeError']);
  expect(await fetched(friend.port, '/stored', plain)).toEqual([200, 'from the endpoint', '7', null]);
});

test('an error of the gateway can be read by who may', async () => {
  const [status, text] = await fetched(friend.port, '/down', { credentials: 'include' });
  expect([status, JSON.parse(String(text)).reason]).toEqual([503, 'maintenance']);
  expect(await fetched(stranger.port, '/down', { credentials: 'include' })).toEqual(['TypeError']);
});

test('a form and a WebSocket of another origin are refused, and those of its own are not', async () => {
  const form = `<form method="post" action="http://localhost:${gatewayPort()}/guarded"><input name="a" value="b"></form>`;
  const submitted = (port: number | string) =>
    inPage(port, '/home', async (tab) => {
      await tab.evaluate(`document.body.innerHTML = ${JSON.stringify(form)}`);
      const [response] = await Promise.all([
        tab.waitForNavigation({ waitUntil: 'load' }),
        // Not within the call: it would wait for a page that is gone.
        tab.evaluate('void setTimeout(() => document.forms[0].submit())'),
      ]);
      return response?.status();
    });
  expect(await submitted(stranger.port)).toBe(403);
  // An own page may; another origin may be read by CORS, and still not sent by.
  expect(await submitted(friend.port)).toBe(403);
  expect(heard).toEqual([]);
  expect(await submitted(gatewayPort())).toBe(200);
  expect(heard).toEqual(['POST /guarded session=s1']);
  const opened = await inPage(stranger.port, '/home', (tab) =>
    tab.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket('ws://localhost:${gatewayPort()}/guarded');
      socket.onopen = () => resolve('open');
      socket.onerror = () => resolve('refused');
    })`),
  );
  expect(opened).toBe('refused');
  expect(heard).toHaveLength(1);
});
