import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadPort } from '../kit/origin.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { requirePrograms } from './kit/programs.ts';
import { siteCertificate } from './kit/site-certificate.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const run = promisify(execFile);
const directory = temporaryDirectory();

/** Everything but the headers of the site, which are the site's, and how old clients would fare (docs/tls.md has a run with both). */
const CHECKS = ['-p', '-s', '-f', '-P', '-S', '-U'];
const ABOVE_LOW = new Set(['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL']);

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

let testssl: string;
let authority: string;
let gateway: GatewayProcess;

beforeAll(async () => {
  ({ testssl } = requirePrograms('testssl', 'hexdump'));
  const site = await siteCertificate(directory);
  authority = site.authority;
  gateway = await GatewayProcess.start(
    {
      listeners: {
        https: { address: '127.0.0.1', port: 0, tls: { certificate: site.certificate, key: site.key } },
      },
      routes: [{ respond: { status: 200, body: 'hello' } }],
    },
    directory,
  );
});

afterAll(async () => gateway?.stop());

test('testssl.sh finds nothing above LOW on a TLS listener with default settings', async () => {
  const findings = await scan(gateway.port('https'));
  expect(findings.filter(({ severity }) => ABOVE_LOW.has(severity))).toEqual([]);
  // That it looked at all: protocols, forward secrecy, certificate, vulnerabilities.
  const severities = Object.fromEntries(findings.map(({ id, severity }) => [id, severity]));
  expect(severities).toMatchObject({ TLS1: 'INFO', TLS1_3: 'OK', cipher_order: 'OK', heartbleed: 'OK', ROBOT: 'OK' });
  expect(severities).toMatchObject({ secure_client_renego: 'OK', cert_chain_of_trust: 'OK', LUCKY13: 'OK' });
  // Versions since 3.2 give a grade.
  const grade = findings.find(({ id }) => id === 'overall_grade')?.finding ?? 'A';
  expect(grade).toMatch(/^A/);
}, 300_000);

test('on the listener that a checkout starts with, headers included, it finds nothing above LOW', async () => {
  const own = join(directory, 'local');
  mkdirSync(own);
  const local = await GatewayProcess.start(
    {
      listeners: { https: { address: '127.0.0.1', port: 0, tls: {} } },
      routes: [],
      // Certificates name the revocation list there: not on a port that is another one at each start.
      admin: { port: await deadPort() },
    },
    own,
  );
  try {
    const findings = await scan(local.port('https'), [...CHECKS, '-h'], local.authorityFile);
    expect(findings.filter(({ severity }) => ABOVE_LOW.has(severity))).toEqual([]);
    expect(findings.find(({ id }) => id === 'cert_crlDistributionPoints')?.finding).toContain(
      `${local.adminUrl}/ca.crl`,
    );
    expect(findings.find(({ id }) => id === 'cert_chain_of_trust')?.severity).toBe('OK');
  } finally {
    await local.stop();
  }
}, 300_000);

async function scan(port: number, checks = CHECKS, trusted = authority): Promise<readonly Finding[]> {
  const report = join(directory, `testssl-${port}.json`);
  const target = `https://localhost:${port}/`;
  const how = ['--quiet', '--color', '0', '--warnings', 'batch', '--nodns', 'none', '--ip', '127.0.0.1'];
  const output = ['--add-ca', trusted, '--jsonfile', report];
  try {
    await run(testssl, [...how, ...output, ...checks, target], { cwd: directory, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    // Its exit code counts what could not be tested; what it found is in the report.
    if (typeof (error as { readonly code?: unknown }).code !== 'number') throw error;
  }
  return JSON.parse(readFileSync(report, 'utf8')) as readonly Finding[];
}
