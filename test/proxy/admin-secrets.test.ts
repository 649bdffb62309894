import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { operations } from '../../src/admin/operations/operations.ts';
import { loadConfig } from '../../src/config/load.ts';
import { configView } from '../../src/control/config-view.ts';
import { startGateway } from '../../src/gateway.ts';
import { certificateFor } from '../kit/certificate.ts';
import { stopAfterTest } from '../kit/stop.ts';

/** Each secret says so: an answer that has the word in it tells one. */
let count = 0;
function secret(): string {
  count += 1;
  return `hush-${count}-hush-hush`;
}

const TOKEN = secret();
const PASSPHRASE = secret();

/** A configuration with a secret in every place that can hold one. */
function configuration(folder: string, extra = ''): string {
  return `
listeners:
  web: { address: 127.0.0.1, port: 0 }
  tls:
    address: 127.0.0.1
    port: 0
    tls: { ticketKeys: ${folder}/tickets, certificates: [{ certificate: ${folder}/cert.pem, key: ${folder}/key.pem, passphrase: ${PASSPHRASE} }] }
admin: { address: 127.0.0.1, port: 0, token: ${TOKEN} }
tracing:
  otlp: { endpoint: 'http://127.0.0.1:9', headers: { x-vendor: ${secret()}, authorization: '\${FROM_ENVIRONMENT}' } }
pools:
  shop:
    endpoints: ['127.0.0.1:9']
    affinity: { cookie: sid, secret: [${secret()}, '\${file:${folder}/included}'] }
    health: { path: '/ok?key=\${FROM_ENVIRONMENT}', interval: 1h, headers: { Authorization: 'Basic ${secret()}', Cookie: 'sid=${secret()}' } }
routes:
  - name: shop
    match:
      path: /shop
      headers: { x-api-key: ${secret()}, x-other: '\${FROM_ENVIRONMENT}', authorization: { prefix: 'Bearer ${secret()}' } }
      cookies: { session: ${secret()} }
      query: { access_token: ${secret()} }
    pool: shop
    requestHeaders: { set: { Authorization: 'Bearer ${secret()}', X-Plain: '\${FROM_ENVIRONMENT}', X-Api-Key: ${secret()} } }
    responseHeaders: { add: { Set-Cookie: 'a=${secret()}', X-Auth-Token: '\${UNSET:-${secret()}}' } }
    query: { set: { token: ${secret()} } }
  - name: plain
    match: { path: /plain }
    pool: shop
    cache: {}
    requestHeaders: { set: { Authorization: 'Bearer ${secret()} {client}', X-Api-Key: ${secret()} } }
    query: { set: { token: ${secret()} } }
  - name: old
    match: { path: /old }
    redirect: { to: 'https://user:${secret()}@shop.test/' }
  - name: split
    match: { path: /split }
    split: [{ pool: shop, weight: 1 }]
    sticky: { insert: { cookie: which, secret: ${secret()} } }
${extra}`;
}

async function folderOf(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-secrets-'));
  stopAfterTest(() => rmSync(folder, { recursive: true, force: true }));
  const { cert, key } = await certificateFor(['localhost']);
  const format = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE } as const;
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), createPrivateKey(key).export(format));
  writeFileSync(join(folder, 'tickets'), `${TICKETS}\n`);
  writeFileSync(join(folder, 'included'), secret().padEnd(20, '!'));
  return folder;
}

const TICKETS = 'hush'.repeat(16);
const SECRETS = /hush|PRIVATE KEY/;

const ENVIRONMENT = { FROM_ENVIRONMENT: secret() };

test('no answer tells anything that is secret, wherever the configuration has it', async () => {
  const folder = await folderOf();
  const file = join(folder, 'headgate.yaml');
  writeFileSync(file, configuration(folder));
  const load = () => loadConfig(file, ENVIRONMENT);
  const loaded = load();
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ message }) => message).join('\n'));
  const gateway = await startGateway({
    ...{ config: loaded.config, origins: loaded.origins, source: { load }, certificatesDirectory: folder },
    logLevel: 'silent',
  });
  stopAfterTest(() => gateway.close());
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  const told = async (method: string, path: string, body?: object) => {
    const reply = await fetch(`${gateway.adminUrl}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    expect(text, `${method} ${path}`).not.toMatch(SECRETS);
    return { status: reply.status, text };
  };
  for (const { method, path } of operations) {
    if (method === 'GET') await told('GET', path.replace('{pool}', 'shop'));
  }
  const view = (await told('GET', '/config')).text;
  expect(view).toContain(`"x-other":"\${FROM_ENVIRONMENT}"`);
  await told('GET', '/cache/entries?url=http://shop.test/shop');
  await told('POST', '/explain', { url: 'http://shop.test/split' });
  await told('POST', '/explain', { url: 'http://shop.test/plain' });
  expect((await told('POST', '/reload', {})).status).toBe(200);
  const broken = `  - { name: \${FROM_ENVIRONMENT}, match: { path: '\${FROM_ENVIRONMENT}' }, pool: '\${FROM_ENVIRONMENT}' }\nadmn: { token: ${secret()} }\n`;
  writeFileSync(file, configuration(folder, broken));
  expect((await told('POST', '/reload', {})).status).toBe(422);
  await told('GET', '/reloads');
  await told('GET', '/status');
});

test('neither do accounts of certificate authorities', async () => {
  const folder = await folderOf();
  const file = join(folder, 'headgate.yaml');
  writeFileSync(
    file,
    `listeners: { web: { port: 0, tls: { acme: { names: [a.test], directory: 'https://ca.test/directory', eab: { kid: me, hmac: '${'hush'.repeat(8)}' } } } } }\n`,
  );
  const loaded = loadConfig(file, {});
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ message }) => message).join('\n'));
  const text = JSON.stringify(await configView(loaded.origins));
  expect(text).not.toContain('hush');
  expect(text).toContain('"kid":"me"');
});
