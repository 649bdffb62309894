import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deadPort } from '../kit/origin.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { eventually } from './kit/patience.ts';
import { requirePrograms } from './kit/programs.ts';
import { Spawned } from './kit/spawned.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const root = temporaryDirectory();

/** An authority, a server certificate that names a responder on `port`, and a certificate for that responder, by OpenSSL. */
function issue(openssl: string, directory: string, port: number): void {
  const run = (...args: string[]): void => {
    execFileSync(openssl, args, { cwd: directory, stdio: 'ignore' });
  };
  const extensions = {
    leaf: `subjectAltName=DNS:a.test\nauthorityInfoAccess=OCSP;URI:http://127.0.0.1:${port}/\n`,
    responder: 'extendedKeyUsage=OCSPSigning\n',
  };
  run(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=CA',
    '-days',
    '9',
  );
  for (const [index, [name, text]] of Object.entries(extensions).entries()) {
    writeFileSync(join(directory, `${name}.ext`), text);
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    run('req', ...curve, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', `0x100${index}`, '-extfile', `${name}.ext`];
    run('x509', '-req', '-in', `${name}.csr`, ...by, '-days', '9', '-out', `${name}.pem`);
  }
  const chain = ['leaf.pem', 'ca.pem'].map((file) => readFileSync(join(directory, file), 'utf8'));
  writeFileSync(join(directory, 'chain.pem'), chain.join(''));
  writeFileSync(join(directory, 'index.txt'), 'V\t401231235959Z\t\t1000\tunknown\t/CN=leaf\n');
}

test.each([
  ['the issuer', ['-rsigner', 'ca.pem', '-rkey', 'ca.key']],
  ['a delegate, by its name', ['-rsigner', 'responder.pem', '-rkey', 'responder.key']],
  ['a delegate, by its key', ['-rsigner', 'responder.pem', '-rkey', 'responder.key', '-resp_key_id']],
])(
  'a response of OpenSSL’s responder, signed by %s, is stapled, and OpenSSL’s client takes it for good',
  async (_, signer) => {
    const { openssl } = requirePrograms('openssl');
    const directory = mkdtempSync(join(root, 'ocsp-'));
    const port = await deadPort();
    issue(openssl, directory, port);
    const serve = ['ocsp', '-index', 'index.txt', '-port', String(port), '-CA', 'ca.pem', '-ndays', '2', ...signer];
    const responder = new Spawned(openssl, serve, { cwd: directory });
    try {
      await responder.stdout.line(/ACCEPT/);
      const tls = { certificate: join(directory, 'chain.pem'), key: join(directory, 'leaf.key') };
      const config = { listeners: { web: { address: '127.0.0.1', port: 0, tls } }, routes: [{ respond: {} }] };
      const gateway = await GatewayProcess.start(config, directory);
      try {
        await eventually(
          async () => ((await gateway.status()).certificates[0]?.ocsp === 'stapled' ? true : null),
          'a staple',
        );
        for (const version of ['-tls1_2', '-tls1_3']) {
          const address = `127.0.0.1:${gateway.port('https')}`;
          const visit = [
            's_client',
            '-connect',
            address,
            '-servername',
            'a.test',
            '-status',
            '-CAfile',
            'ca.pem',
            version,
          ];
          const shown = execFileSync(openssl, visit, {
            cwd: directory,
            input: '',
            encoding: 'utf8',
            stdio: ['pipe', 'pipe', 'ignore'],
          });
          expect(shown).toContain('Cert Status: good');
          expect(shown).toContain('Verify return code: 0 (ok)');
        }
        expect(gateway.complaints()).toEqual([]);
      } finally {
        await gateway.stop();
      }
    } finally {
      await responder.stop();
    }
  },
);
