import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigWatch } from '../../../src/control/watch.ts';
import { until } from '../../kit/deadline.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { stopAfterTest } from '../../kit/stop.ts';

const OLD = 'routes: []\n';
const NEW = 'routes: [{ respond: { status: 204 } }]\n';

describe('a configuration is loaded again', () => {
  const cases: readonly (readonly [string, (home: Home) => void])[] = [
    ['when a file of it is written', ({ file }) => writeFileSync(file('a.yaml'), NEW)],
    [
      'when a file of it is replaced by another one',
      ({ file }) => {
        writeFileSync(file('.a.yaml.tmp'), NEW);
        renameSync(file('.a.yaml.tmp'), file('a.yaml'));
      },
    ],
    [
      'when an editor writes it in its way',
      ({ file }) => {
        writeFileSync(file('.a.yaml.swp'), 'whatever');
        renameSync(file('a.yaml'), file('a.yaml~'));
        writeFileSync(file('a.yaml'), '');
        writeFileSync(file('a.yaml'), NEW);
        rmSync(file('a.yaml~'));
        rmSync(file('.a.yaml.swp'));
      },
    ],
    ['when a file comes to it', ({ file }) => writeFileSync(file('b.yaml'), NEW)],
    ['when a file of it is removed', ({ file }) => rmSync(file('other.yaml'))],
    [
      'when its directory is removed and made anew',
      ({ directory, file }) => {
        rmSync(directory, { recursive: true });
        mkdirSync(directory);
        writeFileSync(file('a.yaml'), NEW);
      },
    ],
    [
      'when the link to its files is turned, as Kubernetes does with a ConfigMap',
      ({ file }) => {
        mkdirSync(file('..2'));
        writeFileSync(file('..2/linked.yaml'), NEW);
        symlinkSync('..2', file('..data_tmp'));
        renameSync(file('..data_tmp'), file('..data'));
      },
    ],
    ['when a file that it includes is written', ({ secret }) => writeFileSync(secret, 'second')],
  ];
  test.each(cases)('%s', async (_name, deed) => {
    const home = newHome();
    const watched = await watch(home.directory);
    deed(home);
    await watched.loads(1);
    await watched.quiet();
    expect(watched.count).toBe(1);
  });

  test('when the link to its directory is turned', async () => {
    const home = newHome();
    const link = join(home.root, 'current');
    symlinkSync(home.directory, link);
    const watched = await watch(link);
    const next = join(home.root, 'next');
    mkdirSync(next);
    writeFileSync(join(next, 'a.yaml'), NEW);
    symlinkSync(next, `${link}.tmp`);
    renameSync(`${link}.tmp`, link);
    await watched.loads(1);
    // It is the new one that is watched now.
    writeFileSync(join(next, 'a.yaml'), OLD);
    await watched.loads(2);
  });

  test('when it is a single file that is replaced again and again', async () => {
    const { file } = newHome();
    const watched = await watch(file('a.yaml'));
    for (const [index, text] of [NEW, OLD, NEW].entries()) {
      writeFileSync(file('next'), text);
      renameSync(file('next'), file('a.yaml'));
      await watched.loads(index + 1);
    }
  });

  test('when it was changed between the load and the beginning of the watch', async () => {
    const { directory, file } = newHome();
    const watched = await watch(directory, { before: () => writeFileSync(file('a.yaml'), NEW) });
    await watched.loads(1);
  });
});

describe('a configuration is left alone', () => {
  const cases: readonly (readonly [string, (home: Home) => void])[] = [
    ['when the same content is written again', ({ file }) => writeFileSync(file('a.yaml'), OLD)],
    ['when other files beside it change', ({ file }) => writeFileSync(file('access.log'), 'GET /')],
    ['when its tests change', ({ file }) => writeFileSync(file('a.test.yaml'), 'tests: []')],
    [
      'while all that is left of it is being written',
      ({ file }) => {
        rmSync(file('other.yaml'));
        rmSync(file('linked.yaml'));
        writeFileSync(file('a.yaml'), '');
      },
    ],
  ];
  test.each(cases)('%s', async (_name, deed) => {
    const home = newHome();
    const watched = await watch(home.directory);
    deed(home);
    await watched.quiet();
    expect(watched.count).toBe(0);
  });

  test('when it does not want to be watched', async () => {
    const { directory, file } = newHome();
    const watched = await watch(directory, { wanted: false });
    writeFileSync(file('a.yaml'), NEW);
    await watched.quiet();
    expect(watched.count).toBe(0);
  });

  test('when somebody else has loaded it meanwhile', async () => {
    const { directory, file } = newHome();
    const watched = await watch(directory);
    writeFileSync(file('a.yaml'), NEW);
    await watched.load();
    await watched.quiet();
    expect(watched.count).toBe(1);
  });
});

interface Home {
  readonly root: string;
  readonly directory: string;
  readonly secret: string;
  readonly file: (name: string) => string;
}

function newHome(): Home {
  const root = mkdtempSync(join(tmpdir(), 'headgate-watch-'));
  stopAfterTest(() => rmSync(root, { recursive: true, force: true }));
  const directory = join(root, 'routes');
  const file = (name: string): string => join(directory, name);
  const secrets = join(root, 'secrets');
  mkdirSync(secrets);
  mkdirSync(file('..1'), { recursive: true });
  const secret = join(secrets, 'token');
  writeFileSync(secret, 'first');
  writeFileSync(file('a.yaml'), OLD);
  writeFileSync(file('other.yaml'), `pools: { p: { sticky: "\${file:${secret}}" } }\n`);
  writeFileSync(file('..1/linked.yaml'), OLD);
  symlinkSync('..1', file('..data'));
  symlinkSync('..data/linked.yaml', file('linked.yaml'));
  return { root, directory, secret, file };
}

/** Watches, and counts the loads; time goes by only when something waits for it. */
async function watch(path: string, { wanted = true, before = (): void => {} } = {}) {
  const clock = new ManualClock();
  let count = 0;
  const load = (): Promise<void> =>
    watched.load(() => {
      count += 1;
    });
  const watched: ConfigWatch = new ConfigWatch({ path, digest: null, clock, wanted: () => wanted, changed: load });
  stopAfterTest(() => watched.stop());
  await watched.load(() => {});
  before();
  watched.start();
  // What is set besides is for an event.
  const regular = 1;
  const pass = (): void => {
    if (clock.pending > regular) clock.advance(250);
  };
  return {
    load,
    get count() {
      return count;
    },
    loads: (wantedCount: number) =>
      until(() => {
        pass();
        return count >= wantedCount;
      }, `load ${wantedCount}`),
    /** Everything that has happened was heard of and looked at. */
    quiet: async () => {
      // Another event that can be waited for: those before it have come by then.
      const marker = join(path, 'marker');
      await watched.settled();
      while (clock.pending > regular) {
        clock.advance(250);
        await watched.settled();
      }
      writeFileSync(marker, '');
      await until(() => clock.pending > regular, 'an event');
      while (clock.pending > regular) {
        clock.advance(250);
        await watched.settled();
      }
    },
  };
}
