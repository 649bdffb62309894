import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Diagnostic } from './config-error.ts';
import { diagnose } from './diagnose.ts';
import { readIncluded, readText } from './load.ts';
import { Origins } from './origins.ts';
import { parseYaml } from './parse-yaml.ts';
import { type RouteTest, testFile } from './schema/route-tests.ts';
import { toPlain } from './source-tree.ts';

/** One file of tests. */
export interface TestFile {
  readonly file: string;
  readonly tests: readonly RouteTest[];
  /** Where each part of it is written; key paths begin with the number of a test. */
  readonly origins: Origins;
}

export interface LoadedTests {
  readonly files: readonly TestFile[];
  /** What is wrong, in source order of each file. */
  readonly diagnostics: readonly Diagnostic[];
  /** What was read: name → text. */
  readonly texts: ReadonlyMap<string, string>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the tests next to the configuration at `path`: every `*.test.yaml` and `*.test.yml` of a directory in the order of their names; of
 * one file `gateway.yaml`, `gateway.test.yaml`. That there are none is no mistake. Nothing is thrown.
 */
export function loadTests(path: string, environment: Environment): LoadedTests {
  const files: TestFile[] = [];
  const diagnostics: Diagnostic[] = [];
  const texts = new Map<string, string>();
  for (const file of testFilesAt(path)) {
    const text = readText(file, diagnostics);
    if (text === null) continue;
    texts.set(file, text);
    const sources = { environment, readFile: readIncluded };
    const { root, diagnostics: broken } = parseYaml(file, text, sources);
    diagnostics.push(...broken);
    if (root === null) continue;
    const parsed = testFile.safeParse(toPlain(root));
    if (parsed.success) files.push({ file, tests: parsed.data, origins: new Origins(root) });
    else diagnostics.push(...diagnose(root, testFile, parsed.error.issues));
  }
  return { files, diagnostics, texts };
}

function testFilesAt(path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    const names = readdirSync(path).filter((name) => /^[^.].*\.test\.ya?ml$/.test(name));
    return names.sort().map((name) => join(path, name));
  }
  const [stem = ''] = /^.*?(?=\.ya?ml$)/.exec(basename(path)) ?? [];
  const own = ['yaml', 'yml'].map((extension) => join(dirname(path), `${stem}.test.${extension}`));
  return own.filter((file) => stem !== '' && statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}
