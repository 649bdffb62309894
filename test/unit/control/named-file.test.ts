import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { mistakesIn } from '../../../src/cli/compile-only.ts';
import { configFromObject } from '../../../src/config/load.ts';
import { readNamedFile, readNamedFileLater } from '../../../src/control/named-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'headgate-named-'));
const at = (name: string): string => join(directory, name);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a file is read, also over a link', async () => {
  writeFileSync(at('file'), 'text');
  symlinkSync('file', at('link'));
  expect(readNamedFile(at('link')).toString()).toBe('text');
  expect((await readNamedFileLater(at('link'))).toString()).toBe('text');
});

test.skipIf(process.platform === 'win32')(
  'what is no file, or too large, is refused, and nothing waits for it',
  async () => {
    execFileSync('mkfifo', [at('fifo')]);
    writeFileSync(at('huge'), '');
    truncateSync(at('huge'), 2 ** 30);
    const reasons = [
      ['fifo', 'it is no regular file'],
      ['/dev/zero', 'it is no regular file'],
      ['huge', 'it is larger than 16777216 bytes'],
      ['.', 'EISDIR'],
      ['gone', 'ENOENT'],
    ] as const;
    for (const [name, code] of reasons) {
      const path = resolve(directory, name);
      expect(() => readNamedFile(path)).toThrow(expect.objectContaining({ code }));
      await expect(readNamedFileLater(path)).rejects.toMatchObject({ code });
    }
  },
);

test('the authorities of a pool are a file with a certificate in it', () => {
  writeFileSync(at('ca.pem'), 'garbage');
  const pools = { shop: { endpoints: ['https://10.0.0.1'], tls: { ca: at('ca.pem') } } };
  const loaded = configFromObject({ listeners: { web: { port: 80 } }, pools, routes: [{ pool: 'shop' }] });
  if (!loaded.ok) throw new Error('The configuration is meant to load');
  expect(mistakesIn(loaded).map(({ message }) => message)).toEqual([`“${at('ca.pem')}” holds no PEM certificate`]);
});
