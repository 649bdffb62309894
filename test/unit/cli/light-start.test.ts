import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../../src');

/** What a module loads before its first line runs: packages, and files of ours with all that these load. Types load nothing. */
function loadedBy(file: string, seen: Set<string>): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [, clause = '', specifier = ''] of text.matchAll(
    /^(?:import|export)\s+(?!type\b)([^;'"]*?from\s+)?['"]([^'"]+)['"]/gm,
  )) {
    const names = /\{([^}]*)\}/.exec(clause)?.[1];
    if (names?.split(',').every((name) => /^\s*(type\s|$)/.test(name)) === true) continue;
    if (specifier.startsWith('.')) loadedBy(join(dirname(file), specifier), seen);
    else seen.add(specifier);
  }
  return seen;
}

test('no command waits for what another one needs: no package is loaded to find out what is asked', () => {
  const loaded = [...loadedBy(join(SRC, 'main.ts'), new Set())];
  expect(loaded.filter((name) => !name.startsWith('/') && !name.startsWith('node:'))).toEqual([]);
  const modules = loaded.filter((name) => name.startsWith('/')).map((name) => relative(SRC, name));
  expect(modules).toContain('cli/registry.ts');
  expect(modules.filter((name) => /^(gateway|engine|downstream|transport)\b/.test(name))).toEqual([]);
  expect(loaded.filter((name) => /^node:(http|https|http2|tls|dns)$/.test(name))).toEqual([]);
});
