import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HostsFile, parseHosts } from '../../../../src/control/discovery/hosts-file.ts';
import { SystemNames } from '../../../../src/control/discovery/name-lookup.ts';
import { stopAfterTest } from '../../../kit/stop.ts';

test('a hosts file has names of both families, comments, and lines that mean nothing', () => {
  const names = parseHosts(
    '# hosts\n127.0.0.1 localhost\n\n10.0.0.1\tdb.internal DB # the old one\nfd00::1 db\nfe80::1%lo0 x\nbogus y\n10.0.0.1 db',
  );
  expect(Object.fromEntries(names)).toEqual({
    localhost: ['127.0.0.1'],
    'db.internal': ['10.0.0.1'],
    db: ['10.0.0.1', 'fd00::1'],
  });
});

test('the hosts file comes before name servers, and is read again when it has changed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-hosts-'));
  stopAfterTest(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'hosts');
  await writeFile(file, '127.0.0.7 db.invalid\n');
  const names = new SystemNames(new HostsFile(file));
  expect(await names.addresses('db.invalid', 4, [])).toEqual({ kind: 'found', items: ['127.0.0.7'], ttlMs: 5_000 });
  expect(await names.addresses('db.invalid', 6, [])).toEqual({ kind: 'none', reason: 'no-address' });
  await writeFile(file, '127.0.0.7 db.invalid\n::7 db.invalid\n');
  expect(await names.addresses('db.invalid', 6, [])).toMatchObject({ kind: 'found', items: ['::7'] });
  await rm(file);
  expect(await names.addresses('db.invalid', 4, [])).toEqual({ kind: 'none', reason: 'no-such-name' });
});
