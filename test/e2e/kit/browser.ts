import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { run } from './spawned.ts';

export interface BrowserPrograms {
  readonly chromium: string;
  readonly certutil: string;
}

export interface BrowserOptions {
  readonly directory: string;
  readonly authorityFile: string | null;
  /** Default: a new one. */
  readonly home?: string;
}

/**
 * Debian's Chromium with a home and a profile of its own under `directory`, in which the authority of `authorityFile` is
 * trusted as a person would trust it, in the NSS database; `null` for none. No certificate error is ignored.
 */
export async function openBrowser(
  programs: BrowserPrograms,
  { directory, authorityFile, home = mkdtempSync(join(directory, 'home-')) }: BrowserOptions,
): Promise<BrowserContext> {
  if (authorityFile !== null) await trust(programs.certutil, authorityFile, home);
  return chromium.launchPersistentContext(mkdtempSync(join(home, 'profile-')), {
    executablePath: programs.chromium,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    env: { ...definedOf(process.env), HOME: home },
    viewport: { width: 1100, height: 800 },
  });
}

async function trust(certutil: string, authorityFile: string, home: string): Promise<void> {
  const database = join(home, '.pki/nssdb');
  mkdirSync(database, { recursive: true });
  const steps = [
    ['-N', '--empty-password'],
    ['-A', '-n', 'headgate', '-t', 'C,,', '-i', authorityFile],
  ];
  for (const step of steps) {
    const { code, stderr } = await run(certutil, ['-d', `sql:${database}`, ...step], { cwd: home });
    if (code !== 0) throw new Error(`certutil ${step.join(' ')} failed: ${stderr}`);
  }
}

function definedOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
