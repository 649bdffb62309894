import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that tests run, by the Debian package that brings each. */
const PACKAGES = {
  bash: 'bash',
  certutil: 'libnss3-tools',
  chromium: 'chromium',
  curl: 'curl',
  fish: 'fish',
  haproxy: 'haproxy',
  hexdump: 'bsdextrautils',
  npm: 'npm',
  openssl: 'openssl',
  pebble: 'pebble',
  'pebble-challtestsrv': 'pebble',
  'redis-server': 'redis-server',
  sh: 'dash',
  'systemd-analyze': 'systemd',
  'update-ca-certificates': 'ca-certificates',
  slowhttptest: 'slowhttptest',
  testssl: 'testssl.sh',
  wrk: 'wrk',
  zsh: 'zsh',
} as const;

export type Program = keyof typeof PACKAGES;

/** Where the named programs are. Throws, naming every Debian package that is missing: a test is never skipped for one. */
export function requirePrograms<P extends Program>(...programs: readonly P[]): Readonly<Record<P, string>> {
  const found = new Map(programs.map((program) => [program, findProgram(program)]));
  const missing = programs.filter((program) => found.get(program) === null);
  if (missing.length > 0) {
    const packages = missing.map((program) => PACKAGES[program]).join(' ');
    throw new Error(`Cannot find ${missing.join(', ')}: apt-get install ${packages}`);
  }
  return Object.fromEntries(found) as Record<P, string>;
}

/** The first of that name on PATH that can be run, leaving out folders for which `skip` says so. */
export function findProgram(name: string, skip: (folder: string) => boolean = () => false): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder === '' || skip(folder)) continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here: ENOENT, or not for us.
    }
  }
  return null;
}
