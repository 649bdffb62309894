import { describe, expect, test } from 'vitest';
import { commandLines, type TrustStore } from '../../../../src/cli/trust/store.ts';
import { isTrusted, trustStores } from '../../../../src/cli/trust/stores.ts';
import { AUTHORITY, type Described, machineWith } from './machine.ts';

const CA = AUTHORITY.file;
const NAME = 'headgate-local-ca-0123456789abcdef';
const BODY = 'QUJD\nREVG';

async function plansOf(described: Described) {
  const stores = await trustStores(machineWith(described), AUTHORITY);
  const lines = (plan: ReturnType<TrustStore['planUntrust']>) =>
    plan.kind === 'steps' ? commandLines(plan, described.isRoot ?? false) : plan.kind === 'unable' ? plan.reason : null;
  return stores.map((store) => ({
    id: store.id,
    trusted: store.trusted,
    trust: lines(store.planTrust(AUTHORITY)),
    untrust: lines(store.planUntrust()),
  }));
}

describe('the system’s store', () => {
  test.each([
    [
      'Debian, Alpine',
      'update-ca-certificates',
      '/usr/local/share/ca-certificates',
      '.crt',
      '/etc/ssl/certs/ca-certificates.crt',
      'update-ca-certificates',
    ],
    [
      'openSUSE',
      'update-ca-certificates',
      '/etc/pki/trust/anchors',
      '.pem',
      '/var/lib/ca-certificates/ca-bundle.pem',
      'update-ca-certificates',
    ],
    [
      'Fedora',
      'update-ca-trust',
      '/etc/pki/ca-trust/source/anchors',
      '.pem',
      '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
      'update-ca-trust extract',
    ],
    [
      'Arch',
      'trust',
      '/etc/ca-certificates/trust-source/anchors',
      '.pem',
      '/etc/ca-certificates/extracted/tls-ca-bundle.pem',
      'trust extract-compat',
    ],
  ])('of %s', async (_family, program, directory, extension, bundle, update) => {
    const refresh = bundle === '/etc/ssl/certs/ca-certificates.crt' ? `${update} --fresh` : update;
    const file = `${directory}/${NAME}${extension}`;
    const before = { [`${directory}/other.pem`]: 'x', [bundle]: 'others' };
    expect(await plansOf({ programs: [program], files: before, isRoot: true })).toEqual([
      { id: 'system', trusted: false, trust: [`install -D -m 644 ${CA} ${file}`, update], untrust: null },
    ]);
    const older = `${directory}/headgate-local-ca-ffffffffffffffff${extension}`;
    const after = { ...before, [file]: AUTHORITY.pem, [older]: 'older', [bundle]: `others\n${AUTHORITY.pem}` };
    expect(await plansOf({ programs: [program], files: after, isRoot: true })).toMatchObject([
      { trusted: true, untrust: [`rm -f ${file} ${older}`, refresh] },
    ]);
  });

  test('is not changed without root: the commands say sudo', async () => {
    const [plans] = await plansOf({ programs: ['update-ca-certificates'] });
    expect(plans?.trust).toEqual([
      `sudo install -D -m 644 ${CA} /usr/local/share/ca-certificates/${NAME}.crt`,
      'sudo update-ca-certificates',
    ]);
  });

  test('trusts what is in effect, not what was only put there', async () => {
    const file = `/usr/local/share/ca-certificates/${NAME}.crt`;
    const bundle = '/etc/ssl/certs/ca-certificates.crt';
    const programs = ['update-ca-certificates'];
    expect(await plansOf({ programs, files: { [file]: AUTHORITY.pem, [bundle]: 'x' } })).toMatchObject([
      { trusted: false },
    ]);
    expect(await plansOf({ programs, files: { [file]: AUTHORITY.pem } })).toMatchObject([{ trusted: true }]);
    expect(await plansOf({ programs, files: { [bundle]: BODY } })).toMatchObject([{ trusted: true }]);
  });

  test('of Debian has copies in Java’s, which nobody else takes out again', async () => {
    const files = {
      '/etc/ssl/certs/java/cacerts': `\0debian:${NAME}.pem\0debian:other.pem\0debian:headgate-local-ca-ffffffffffffffff.pem`,
    };
    const keytool = (alias: string) =>
      `keytool -delete -noprompt -alias debian:${alias}.pem -keystore /etc/ssl/certs/java/cacerts -storepass changeit`;
    const programs = ['update-ca-certificates', 'keytool'];
    expect(await plansOf({ programs, files, isRoot: true })).toMatchObject([
      { untrust: [keytool(NAME), keytool('headgate-local-ca-ffffffffffffffff')] },
    ]);
  });

  test('is missed with a name for what is missing', async () => {
    expect(await plansOf({})).toMatchObject([
      { trust: expect.stringContaining('install ca-certificates'), untrust: null },
    ]);
  });

  test('paths that a shell would break are quoted', () => {
    const steps = [['install', "/home/o'hara/my certs/ca.pem"]] as const;
    expect(commandLines({ kind: 'steps', needsRoot: false, steps }, false)).toEqual([
      `install '/home/o'\\''hara/my certs/ca.pem'`,
    ]);
  });
});

describe('the browsers’ databases on Linux', () => {
  const listed = (trust: string) => ({
    stdout: `\nCertificate Nickname                                         Trust Attributes\n\n${NAME}                           ${trust}\nheadgate-local-ca-ffffffffffffffff                           C,,  \nsomebody else's                                              C,,  \n`,
  });

  test('a Chromium that was never started gets one', async () => {
    const database = 'sql:/home/me/.pki/nssdb';
    expect(await plansOf({ programs: ['certutil', 'google-chrome'] })).toMatchObject([
      {},
      {
        id: 'nss:/home/me/.pki/nssdb',
        trusted: false,
        trust: [
          'mkdir -p /home/me/.pki/nssdb',
          `certutil -N -d ${database} --empty-password`,
          `certutil -A -d ${database} -n ${NAME} -t C,, -i ${CA}`,
        ],
        untrust: null,
      },
    ]);
  });

  test('where there is no browser there is nothing to say', async () => {
    expect(await plansOf({ programs: ['certutil'] })).toHaveLength(1);
  });

  test('those of snap and flatpak packages, and every profile of Firefox, are found', async () => {
    const databases = [
      '/home/me/.pki/nssdb',
      '/home/me/.local/share/pki/nssdb',
      '/home/me/snap/chromium/current/.pki/nssdb',
      '/home/me/.var/app/com.google.Chrome/.pki/nssdb',
      '/home/me/.mozilla/firefox/a.default',
      '/home/me/.mozilla/firefox/b.work',
      '/home/me/.config/mozilla/firefox/c.default',
      '/home/me/snap/firefox/common/.mozilla/firefox/d.default',
      '/home/me/.var/app/org.mozilla.firefox/.mozilla/firefox/e.default',
    ];
    const files = Object.fromEntries(databases.map((directory) => [`${directory}/cert9.db`, '']));
    const plans = await plansOf({
      programs: ['certutil'],
      files: { ...files, '/home/me/.mozilla/firefox/profiles.ini': '' },
    });
    expect(plans.slice(1).map(({ id }) => id)).toEqual(databases.map((directory) => `nss:${directory}`));
  });

  test('what is there with trust is trusted; untrust takes what trust added, older ones too, and nothing else', async () => {
    const files = { '/home/me/.pki/nssdb/cert9.db': '' };
    const trusting = { programs: ['certutil'], files, answer: () => listed('C,,  ') };
    expect((await plansOf(trusting))[1]).toMatchObject({
      trusted: true,
      untrust: [
        `certutil -D -d sql:/home/me/.pki/nssdb -n ${NAME}`,
        'certutil -D -d sql:/home/me/.pki/nssdb -n headgate-local-ca-ffffffffffffffff',
      ],
    });
    expect((await plansOf({ ...trusting, answer: () => listed(',,   ') }))[1]).toMatchObject({ trusted: false });
  });

  test.each([
    ['apt-get', 'certutil is missing: sudo apt-get install libnss3-tools'],
    ['dnf', 'certutil is missing: sudo dnf install nss-tools'],
    ['pacman', 'certutil is missing: sudo pacman -S nss'],
    ['zypper', 'certutil is missing: sudo zypper install mozilla-nss-tools'],
    ['apk', 'certutil is missing: sudo apk add nss-tools'],
    ['none', 'certutil is missing: install the tools of NSS'],
  ])('without certutil, what brings it is named: %s', async (manager, reason) => {
    const plans = await plansOf({ programs: [manager], files: { '/home/me/.pki/nssdb/cert9.db': '' } });
    expect(plans[1]).toMatchObject({ trust: reason, untrust: reason });
  });

  test('under sudo they stay the property of whose they are', async () => {
    const plans = await plansOf({ programs: ['certutil', 'chromium'], isRoot: true, sudoUser: 'me' });
    expect(plans[1]?.trust).toEqual([
      'sudo -u me mkdir -p /home/me/.pki/nssdb',
      'sudo -u me certutil -N -d sql:/home/me/.pki/nssdb --empty-password',
      `sudo -u me certutil -A -d sql:/home/me/.pki/nssdb -n ${NAME} -t C,, -i ${CA}`,
    ]);
  });
});

describe('macOS', () => {
  const listed = `keychain: "/Users/me/Library/Keychains/login.keychain-db"\nSHA-256 hash: ${AUTHORITY.sha256.toUpperCase()}\nSHA-1 hash: ${AUTHORITY.sha1.toUpperCase()}\n    "alis"<blob>="Headgate local CA (box)"\nSHA-256 hash: ${'F'.repeat(64)}\n    "alis"<blob>="Headgate local CA (old)"\nSHA-256 hash: ${'E'.repeat(64)}\n    "alis"<blob>="Somebody"\n`;

  test('a person’s keychain', async () => {
    const described: Described = { platform: 'darwin', home: '/Users/me' };
    const file = '/Users/me/Library/Keychains/login.keychain-db';
    expect(await plansOf(described)).toEqual([
      {
        id: 'system',
        trusted: false,
        trust: [`security add-trusted-cert -r trustRoot -k ${file} ${CA}`],
        untrust: null,
      },
    ]);
    expect(await plansOf({ ...described, answer: () => ({ stdout: listed }) })).toMatchObject([
      {
        trusted: true,
        untrust: [
          `security delete-certificate -Z ${AUTHORITY.sha256.toUpperCase()} -t ${file}`,
          `security delete-certificate -Z ${'F'.repeat(64)} -t ${file}`,
        ],
      },
    ]);
  });

  test('as root, the machine’s', async () => {
    expect(await plansOf({ platform: 'darwin', isRoot: true })).toMatchObject([
      { trust: [`security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${CA}`] },
    ]);
  });
});

describe('Windows', () => {
  const certificate = (subject: string, hash: string) =>
    `================ Zertifikat 0 ================\r\nSeriennummer: 40\r\nAntragsteller: ${subject}\r\nZertifikathash(sha1): ${hash}\r\n`;
  const listing = `Root "Vertrauenswürdig"\r\n${certificate('CN=Somebody Root', 'ee'.repeat(20))}${certificate(AUTHORITY.subject, AUTHORITY.sha1)}${certificate('CN=Headgate local CA (old)', 'FF '.repeat(20).trim())}CertUtil: -store ok\r\n`;
  const windows = (elevated: boolean): Described => ({
    platform: 'win32',
    answer: (line) => (line === 'net session' ? { code: elevated ? 0 : 2 } : { stdout: listing }),
  });

  test('a person’s store, found by digest whatever language certutil speaks', async () => {
    expect(await plansOf(windows(false))).toEqual([
      {
        id: 'system',
        trusted: true,
        trust: [`certutil -user -addstore -f Root ${CA}`],
        untrust: [
          `certutil -user -delstore Root ${AUTHORITY.sha1}`,
          `certutil -user -delstore Root ${'ff'.repeat(20)}`,
        ],
      },
    ]);
  });

  test('in an elevated prompt, the machine’s', async () => {
    expect(await plansOf(windows(true))).toMatchObject([{ trust: [`certutil -addstore -f Root ${CA}`] }]);
  });
});

test('whether anybody trusts the CA costs no process where the system does', async () => {
  const files = { '/etc/ssl/certs/ca-certificates.crt': BODY, '/home/me/.pki/nssdb/cert9.db': '' };
  const machine = machineWith({ programs: ['update-ca-certificates', 'certutil'], files });
  expect(await isTrusted(machine, AUTHORITY)).toBe(true);
  expect(machine.ran).toEqual([]);
});
