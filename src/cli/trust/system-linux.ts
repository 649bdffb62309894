import { join } from 'node:path';
import type { Machine, Step } from './machine.ts';
import { type Authority, NICKNAME, nicknameOf, type Plan, type TrustStore } from './store.ts';

/** Where a family of distributions keeps authorities that an administrator adds, and how they come into effect. */
interface Family {
  readonly name: string;
  readonly directory: string;
  readonly extension: string;
  readonly update: Step;
  /** After a removal, if that takes more. */
  readonly refresh?: Step;
  /** What programs read; the first that exists counts. */
  readonly bundles: readonly string[];
}

const FAMILIES: readonly Family[] = [
  {
    name: 'Fedora, RHEL',
    directory: '/etc/pki/ca-trust/source/anchors',
    extension: '.pem',
    update: ['update-ca-trust', 'extract'],
    bundles: ['/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem'],
  },
  {
    name: 'Arch',
    directory: '/etc/ca-certificates/trust-source/anchors',
    extension: '.pem',
    update: ['trust', 'extract-compat'],
    bundles: ['/etc/ca-certificates/extracted/tls-ca-bundle.pem'],
  },
  {
    name: 'openSUSE',
    directory: '/etc/pki/trust/anchors',
    extension: '.pem',
    update: ['update-ca-certificates'],
    bundles: ['/var/lib/ca-certificates/ca-bundle.pem'],
  },
  // Last: openSUSE has the same program, and this directory may have to be made.
  {
    name: 'Debian, Ubuntu, Alpine',
    directory: '/usr/local/share/ca-certificates',
    extension: '.crt',
    update: ['update-ca-certificates'],
    // Debian's looks for what is new; links to what is gone would stay. Alpine's looks for both, and at no argument.
    refresh: ['update-ca-certificates', '--fresh'],
    bundles: ['/etc/ssl/certs/ca-certificates.crt'],
  },
];

/** The store of the whole machine: curl, wget, Python, Go, and whatever else asks OpenSSL or GnuTLS. */
export function systemStore(machine: Machine, authority: Authority | null): TrustStore {
  const family = FAMILIES.find(
    ({ directory, update, name }) =>
      machine.has(update[0]) && (name.startsWith('Debian') || isDirectory(machine, directory)),
  );
  if (family === undefined) return noStore;
  const { directory, extension } = family;
  const entries = machine.list(directory).filter((file) => file.startsWith(NICKNAME) && file.endsWith(extension));
  return {
    id: 'system',
    label: `system (${family.name})`,
    trusted: authority !== null && isTrusted(machine, family, authority),
    planTrust: (wanted) => {
      const file = join(directory, `${nicknameOf(wanted)}${extension}`);
      const install: Step = ['install', '-D', '-m', '644', wanted.file, file];
      return { kind: 'steps', steps: [install, family.update], needsRoot: true };
    },
    planUntrust: () => {
      const remove: Step = ['rm', '-f', ...entries.map((file) => join(directory, file))];
      const steps = [
        ...(entries.length === 0 ? [] : [remove, family.refresh ?? family.update]),
        ...forgetInJava(machine),
      ];
      return steps.length === 0 ? { kind: 'nothing' } : { kind: 'steps', steps, needsRoot: true };
    },
  };
}

const JAVA_STORE = '/etc/ssl/certs/java/cacerts';

/** Debian copies what is added into Java's store, under a name of its own, and leaves it there when it is removed. */
function forgetInJava(machine: Machine): Step[] {
  if (!machine.has('keytool')) return [];
  const found = machine.text(JAVA_STORE)?.match(new RegExp(`debian:${NICKNAME}[0-9a-f]{16}\\.pem`, 'g')) ?? [];
  const open = ['-keystore', JAVA_STORE, '-storepass', 'changeit'];
  return [...new Set(found)].map((alias) => ['keytool', '-delete', '-noprompt', '-alias', alias, ...open]);
}

const unable: Plan = {
  kind: 'unable',
  reason: 'this system has none of update-ca-certificates, update-ca-trust and trust: install ca-certificates',
};

const noStore: TrustStore = {
  id: 'system',
  label: 'system',
  trusted: false,
  planTrust: () => unable,
  planUntrust: () => ({ kind: 'nothing' }),
};

function isDirectory(machine: Machine, directory: string): boolean {
  // It may be empty, but then its parent lists it.
  const at = directory.lastIndexOf('/');
  return machine.list(directory.slice(0, at)).includes(directory.slice(at + 1));
}

/** In effect, not only put there: the bundle that programs read has it. Where there is no bundle, the file has to do. */
function isTrusted(machine: Machine, { directory, extension, bundles }: Family, authority: Authority): boolean {
  const body = bodyOf(authority.pem);
  const bundle = bundles.map((file) => machine.text(file)).find((text) => text !== null);
  if (bundle !== undefined && bundle !== null) return bundle.includes(body);
  return machine.text(join(directory, `${nicknameOf(authority)}${extension}`))?.includes(body) ?? false;
}

/** The Base64 lines, which every tool breaks after 64 characters. */
function bodyOf(pem: string): string {
  return pem.replaceAll(/-----[^-]+-----/g, '').trim();
}
