import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadResult, loadConfig } from '../../../src/config/load.ts';

/** Loads a configuration of one file with this text. */
export function configFromYaml(text: string): LoadResult {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-yaml-'));
  try {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, text);
    return loadConfig(file, {});
  } finally {
    rmSync(folder, { recursive: true });
  }
}
