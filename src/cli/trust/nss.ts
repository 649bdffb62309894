import { join } from 'node:path';
import type { Machine, Step } from './machine.ts';
import { type Authority, NICKNAME, nicknameOf, type Plan, type TrustStore } from './store.ts';

/** The package that brings `certutil`, by package manager. */
const PACKAGES = {
  'apt-get': 'libnss3-tools',
  dnf: 'nss-tools',
  apk: 'nss-tools',
  pacman: 'nss',
  zypper: 'mozilla-nss-tools',
} as const;

/** Programs of the Chromium family, which share one database. */
const BROWSERS = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'brave-browser',
  'microsoft-edge',
  'vivaldi',
];

/** The databases of Chromium and Firefox (NSS) on Linux, each with a store of its own, packages of snap and flatpak included. */
export async function nssStores(machine: Machine, authority: Authority | null): Promise<TrustStore[]> {
  return Promise.all(databasesOf(machine).map((database) => nssStore(machine, database, authority)));
}

interface Database {
  readonly directory: string;
  readonly browser: string;
  readonly exists: boolean;
}

function databasesOf(machine: Machine): Database[] {
  const { home } = machine;
  const below = (...parts: string[]): string[] =>
    machine.list(join(home, ...parts)).map((name) => join(home, ...parts, name));
  const exists = (directory: string): boolean => machine.list(directory).includes('cert9.db');
  const confined = below('.var', 'app');
  const shared = [
    ...['.pki/nssdb', '.local/share/pki/nssdb', 'snap/chromium/current/.pki/nssdb'].map((path) => join(home, path)),
    ...confined.map((app) => join(app, '.pki/nssdb')),
  ].filter(exists);
  const profiles = [
    ...below('.mozilla', 'firefox'),
    ...below('.config', 'mozilla', 'firefox'),
    ...below('snap', 'firefox', 'common', '.mozilla', 'firefox'),
    ...confined.flatMap((app) =>
      machine.list(join(app, '.mozilla/firefox')).map((name) => join(app, '.mozilla/firefox', name)),
    ),
  ].filter(exists);
  const usual = join(home, '.pki/nssdb');
  // A browser that was never started has none yet, and takes the one that is there when it is.
  const missing = shared.length === 0 && BROWSERS.some((program) => machine.has(program)) ? [usual] : [];
  return [
    ...shared.map((directory) => ({ directory, browser: 'Chromium', exists: true })),
    ...missing.map((directory) => ({ directory, browser: 'Chromium', exists: false })),
    ...profiles.map((directory) => ({ directory, browser: 'Firefox', exists: true })),
  ];
}

async function nssStore(machine: Machine, database: Database, authority: Authority | null): Promise<TrustStore> {
  const { directory, browser } = database;
  const label = `${browser} (${directory.replace(machine.home, '~')})`;
  const id = `nss:${directory}`;
  if (!machine.has('certutil')) return withoutCertutil(machine, { id, label });
  const command = (...args: string[]): Step => inTheirName(machine, ['certutil', ...args]);
  const listed = database.exists ? (await machine.run(command('-L', '-d', `sql:${directory}`))).stdout : '';
  const entries = entriesOf(listed);
  const create: Step[] = database.exists
    ? []
    : [inTheirName(machine, ['mkdir', '-p', directory]), command('-N', '-d', `sql:${directory}`, '--empty-password')];
  return {
    id,
    label,
    trusted:
      authority !== null && entries.some(({ nickname, trusted }) => trusted && nickname === nicknameOf(authority)),
    planTrust: (wanted) => {
      const add = ['-A', '-d', `sql:${directory}`, '-n', nicknameOf(wanted), '-t', 'C,,', '-i', wanted.file];
      return steps(...create, command(...add));
    },
    planUntrust: () =>
      entries.length === 0
        ? { kind: 'nothing' }
        : steps(...entries.map(({ nickname }) => command('-D', '-d', `sql:${directory}`, '-n', nickname))),
  };
}

function steps(...list: Step[]): Plan {
  return { kind: 'steps', steps: list, needsRoot: false };
}

/** Under `sudo`, the database stays the property of whose it is. */
function inTheirName({ sudoUser }: Machine, step: Step): Step {
  return sudoUser === null ? step : ['sudo', '-u', sudoUser, ...step];
}

/** Lines of `certutil -L`: nickname, blanks, trust for TLS, mail and code. `C`: trusted to sign servers' certificates. */
function entriesOf(listed: string): { nickname: string; trusted: boolean }[] {
  return listed.split('\n').flatMap((line) => {
    const found = /^(\S+)\s+(\w*),\w*,\w*\s*$/.exec(line);
    const [, nickname = '', tls = ''] = found ?? [];
    return nickname.startsWith(NICKNAME) ? [{ nickname, trusted: tls.includes('C') }] : [];
  });
}

function withoutCertutil(machine: Machine, { id, label }: Pick<TrustStore, 'id' | 'label'>): TrustStore {
  const [manager, pack] = Object.entries(PACKAGES).find(([program]) => machine.has(program)) ?? [
    null,
    'the tools of NSS',
  ];
  const install = {
    'apt-get': 'apt-get install',
    dnf: 'dnf install',
    apk: 'apk add',
    pacman: 'pacman -S',
    zypper: 'zypper install',
  };
  const how = manager === null ? `install ${pack}` : `sudo ${install[manager as keyof typeof install]} ${pack}`;
  const unable: Plan = { kind: 'unable', reason: `certutil is missing: ${how}` };
  return { id, label, trusted: false, planTrust: () => unable, planUntrust: () => unable };
}
