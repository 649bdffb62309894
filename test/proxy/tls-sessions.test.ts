import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TlsSettings } from '../../src/control/tls/tls-settings.ts';
import type { HandleExchange } from '../../src/exchange/exchange.ts';
import { startTestGateway } from '../kit/gateway.ts';
import { shown, startListener } from '../kit/listener.ts';
import { tlsPolicies } from '../kit/tls-policies.ts';
import { visit } from '../kit/tls-visit.ts';

const HOUR_MS = 3_600_000;
const answer: HandleExchange = ({ response }) => response.respond({ status: 204, headers: [] }, null);

const settings: TlsSettings = {
  minVersion: '1.2',
  profile: 'intermediate',
  tickets: { kind: 'rotating', rotationMs: 12 * HOUR_MS },
  clientCertificates: null,
  scope: 'shop',
};

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('session tickets, %s', (version) => {
  const only = { minVersion: version, maxVersion: version };

  test('a client that comes back resumes its session', async () => {
    const policies = tlsPolicies().open(settings);
    const { port } = await startListener({ tls: true, policies, handle: answer });
    const first = await visit({ port, ...only });
    const second = await visit({ port, ...only, session: first.session });
    expect([first.reused, second.reused]).toEqual([false, true]);
    expect(second.text).toContain('204 No Content');
  });

  test('also without SNI, and after the certificate was replaced', async () => {
    const policies = tlsPolicies().open(settings);
    let certificate = await shown();
    const certificates = { certificateFor: () => certificate };
    const { port } = await startListener({ tls: true, policies, certificates, handle: answer });
    const first = await visit({ port, ...only, servername: '' });
    certificate = { ...certificate };
    expect((await visit({ port, ...only, servername: '', session: first.session })).reused).toBe(true);
    expect((await visit({ port, ...only, session: first.session })).protocol).toBe(version);
  });

  test('the key rotates: a ticket of the key before still works and is replaced, one of an older key does not', async () => {
    let now = 0;
    const policies = tlsPolicies(() => now).open(settings);
    const { port } = await startListener({ tls: true, policies, handle: answer });
    const first = await visit({ port, ...only });
    now = 12 * HOUR_MS;
    const second = await visit({ port, ...only, session: first.session });
    expect(second.reused).toBe(true);
    now = 24 * HOUR_MS;
    const [old, replaced] = [
      await visit({ port, ...only, session: first.session }),
      await visit({ port, ...only, session: second.session }),
    ];
    expect([old.reused, replaced.reused]).toEqual([false, true]);
  });

  test('no key outlives a night without visitors', async () => {
    let now = 0;
    const policies = tlsPolicies(() => now).open(settings);
    const { port } = await startListener({ tls: true, policies, handle: answer });
    const { session } = await visit({ port, ...only });
    now = 100 * HOUR_MS;
    expect((await visit({ port, ...only, session })).reused).toBe(false);
  });

  test('with sessionTickets: false nobody resumes anything', async () => {
    const policies = tlsPolicies().open({ ...settings, tickets: { kind: 'off' } });
    const { port } = await startListener({ tls: true, policies, handle: answer });
    const { session } = await visit({ port, ...only });
    expect((await visit({ port, ...only, session })).reused).toBe(false);
  });

  test('listeners that show the same under the same conditions take each other’s sessions, others do not', async () => {
    const policies = tlsPolicies();
    const listen = (scope: string) =>
      startListener({ tls: true, policies: policies.open({ ...settings, scope }), handle: answer });
    const [one, like, other] = [await listen('shop'), await listen('shop'), await listen('bank')];
    const { session } = await visit({ port: one.port, ...only });
    expect((await visit({ port: like.port, ...only, session })).reused).toBe(true);
    expect((await visit({ port: other.port, ...only, session })).reused).toBe(false);
  });

  test('gateways that share a key file resume each other’s sessions, and others do not', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'headgate-tickets-'));
    const [shared, other] = [join(directory, 'shared'), join(directory, 'other')];
    await writeFile(shared, `# newest first\n${randomBytes(48).toString('base64')}\n`);
    await writeFile(other, randomBytes(48).toString('base64'));
    const start = (ticketKeys: string) =>
      startTestGateway({
        listeners: { web: { port: 0, tls: { ticketKeys } } },
        routes: [{ match: { path: { prefix: '/' } }, respond: { status: 200, body: 'hello' } }],
      });
    const [one, two, stranger] = [await start(shared), await start(shared), await start(other)];
    const { session } = await visit({ port: one.port(), ...only, servername: 'localhost' });
    const back = { ...only, servername: 'localhost', session };
    expect((await visit({ port: two.port(), ...back })).reused).toBe(true);
    expect((await visit({ port: stranger.port(), ...back })).reused).toBe(false);
  });
});
