import { expect, test } from 'vitest';
import { type HttpRequest, httpClient } from '../../../src/control/http-client.ts';
import { getHeader } from '../../../src/http/headers.ts';
import { transportOf } from '../../kit/attempt.ts';
import { certificateFor } from '../../kit/certificate.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { deadPort, origin } from '../../kit/origin.ts';

function request(url: string, over: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'GET', url, headers: [], body: null, ca: null, timeoutMs: 60_000, limitBytes: 1000, ...over };
}

test('a request has its method, target, body and fields, and brings back status, fields and body', async () => {
  const server = await origin({ script: [{ respond: 201, headers: ['Replay-Nonce', 'n1'], body: 'made' }] });
  const post = { method: 'POST', headers: ['Content-Type', 'application/jose+json'], body: Buffer.from('{}') };
  const answer = await httpClient(transportOf())(request(`http://127.0.0.1:${server.port}/new?a=%2F`, post));
  expect(answer.status).toBe(201);
  expect(getHeader(answer.headers, 'replay-nonce')).toBe('n1');
  expect(Buffer.from(answer.body).toString()).toBe('made');
  const received = await server.complete();
  expect(received.lines[0]).toBe('POST /new?a=%2F HTTP/1.1');
  expect(received.text).toBe('{}');
  expect(received.all('content-length')).toEqual(['2']);
  expect(received.all('host')).toEqual([`127.0.0.1:${server.port}`]);
  expect(received.header('content-type')).toBe('application/jose+json');
  expect(received.header('user-agent')).toBe('headgate');
});

test('the connection is closed after the answer', async () => {
  const server = await origin();
  await httpClient(transportOf())(request(`http://127.0.0.1:${server.port}/`));
  await server.idle();
});

test('a status that is no success is an answer, and HEAD has no body', async () => {
  const server = await origin({
    scripts: [['respond 404'], ['read head', { send: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n' }]],
  });
  const ask = httpClient(transportOf());
  expect((await ask(request(`http://127.0.0.1:${server.port}/`))).status).toBe(404);
  const head = await ask(request(`http://127.0.0.1:${server.port}/`, { method: 'HEAD' }));
  expect(head.body.byteLength).toBe(0);
});

test('an answer longer than its limit is given up, and the connection with it', async () => {
  const server = await origin({ script: [{ respond: 200, body: 'x'.repeat(1001) }] });
  const ask = httpClient(transportOf())(request(`http://127.0.0.1:${server.port}/`));
  await expect(ask).rejects.toMatchObject({ reason: 'answer-too-large' });
  await server.idle();
});

test('an answer that does not come in time is given up, and the connection with it', async () => {
  const clock = new ManualClock();
  const server = await origin({ script: ['read head', 'silent'] });
  const ask = httpClient(transportOf(), clock)(request(`http://127.0.0.1:${server.port}/`, { timeoutMs: 5000 }));
  await server.request();
  clock.advance(5000);
  await expect(ask).rejects.toMatchObject({ reason: 'total-timeout' });
  await server.idle();
  expect(clock.pending).toBe(0);
});

test('a server that is not there, an answer cut short and a URL that is none are failures', async () => {
  const ask = httpClient(transportOf());
  await expect(ask(request(`http://127.0.0.1:${await deadPort()}/`))).rejects.toMatchObject({
    code: 'connection_refused',
  });
  const short = ['read head', { send: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc' }, 'close'] as const;
  const server = await origin({ script: short });
  await expect(ask(request(`http://127.0.0.1:${server.port}/`))).rejects.toMatchObject({
    code: 'http_response_incomplete',
  });
  await expect(ask(request('nothing'))).rejects.toThrow(TypeError);
  await expect(ask(request('ldap://ca.test/'))).rejects.toThrow(TypeError);
});

test('an https server must have a certificate that the given authorities signed', async () => {
  const tls = await certificateFor(['localhost']);
  const server = await origin({ tls, host: 'localhost' });
  const ask = httpClient(transportOf());
  const url = `https://localhost:${server.port}/`;
  expect((await ask(request(url, { ca: tls.cert }))).status).toBe(200);
  await expect(ask(request(url))).rejects.toMatchObject({ code: 'tls_certificate_error' });
});

test('a request that is given up rejects, and its connection is closed', async () => {
  const server = await origin({ script: ['read head', 'silent'] });
  const controller = new AbortController();
  const { signal } = controller;
  const ask = httpClient(transportOf())(request(`http://127.0.0.1:${server.port}/`, { signal, headDecides: true }));
  await server.request();
  controller.abort();
  await expect(ask).rejects.toMatchObject({ reason: 'given-up' });
  await server.idle();
  const late = httpClient(transportOf())(request(`http://127.0.0.1:${server.port}/`, { signal }));
  await expect(late).rejects.toMatchObject({ reason: 'given-up' });
});

test('where the head decides, a body that is too long or cut is told of', async () => {
  const head = 'HTTP/1.1 403 Forbidden\r\nX-Why: role\r\nContent-Length: 2000\r\n\r\n';
  const server = await origin({
    scripts: [
      ['read head', { send: head }, { fill: 2_000 }],
      ['read head', { send: `${head}abc` }, 'close'],
      ['read head', { send: head.slice(0, 30) }, 'close'],
    ],
  });
  const ask = httpClient(transportOf());
  const url = `http://127.0.0.1:${server.port}/`;
  const long = await ask(request(url, { headDecides: true }));
  expect(long).toMatchObject({ status: 403, lacks: 'answer-too-large' });
  expect([getHeader(long.headers, 'x-why'), long.body.byteLength]).toEqual(['role', 0]);
  expect(await ask(request(url, { headDecides: true }))).toMatchObject({ status: 403, lacks: 'broken' });
  await expect(ask(request(url, { headDecides: true }))).rejects.toMatchObject({ code: 'http_response_incomplete' });
});
