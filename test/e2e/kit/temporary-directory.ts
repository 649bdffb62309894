import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A new empty folder, removed after the test file. Call it at the top of a file, before what is to be stopped first. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-e2e-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
