import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { trust } from '../../../src/cli/trust.ts';
import { LocalAuthority } from '../../../src/control/certificates/local-authority.ts';
import { machineWith } from '../../unit/cli/trust/machine.ts';
import type { Scene } from '../scene.ts';

/** A Debian with Chromium and a local CA, on which nobody is root; `headgate trust` changes nothing but this. */
export async function scene(directory: string): Promise<Scene> {
  mkdirSync(join(directory, 'certs'));
  await new LocalAuthority({ directory: join(directory, 'certs'), now: Date.now }).open();
  let added = '';
  const machine = machineWith({
    programs: ['update-ca-certificates', 'certutil', 'chromium'],
    files: { '/etc/ssl/certs/ca-certificates.crt': 'others\n', '/home/me/.pki/nssdb/cert9.db': '' },
    answer: (line) => {
      if (line.startsWith('certutil -A')) added = / -n (\S+)/.exec(line)?.[1] ?? '';
      return line.startsWith('certutil -L') ? { stdout: `${added}      C,,  \n` } : undefined;
    },
  });
  return {
    environment: { HEADGATE_CERTS: 'certs' },
    shown: [
      [directory, '/home/me/shop'],
      [`(${hostname()})`, '(box)'],
    ],
    run: (argv, io) =>
      argv[0] === 'trust'
        ? trust({ directory: 'certs', dryRun: argv.includes('--dry-run'), json: false }, { machine, ...io })
        : runCommandLine(argv, io),
  };
}
