import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHECKOUT } from './kit/gateway-process.ts';
import { requirePrograms } from './kit/programs.ts';
import { run } from './kit/spawned.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const { 'systemd-analyze': analyze } = requirePrograms('systemd-analyze');
const directory = temporaryDirectory();

test('systemd finds nothing wrong with the unit files of the documentation', async () => {
  const units = ['headgate.service', 'headgate.socket'].map((name) => {
    const text = readFileSync(join(CHECKOUT, 'docs/systemd', name), 'utf8');
    const unit = join(directory, name);
    // The one thing that this machine lacks.
    writeFileSync(unit, text.replace('/usr/bin/headgate', process.execPath));
    return unit;
  });
  const { code, stderr } = await run(analyze, ['verify', ...units], { cwd: directory });
  expect({ code, stderr: stderr.trim() }).toEqual({ code: 0, stderr: '' });
});
