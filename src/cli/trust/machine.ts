import { spawn } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** One program to run, with its arguments. No shell is involved. */
export type Step = readonly [program: string, ...args: string[]];

export interface Ended {
  /** `null` when it could not be started or was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What there is on a machine, and a way to run programs there: everything that the trust commands know of the world. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  /** Of the person at the machine: who called `sudo`, if somebody did. */
  readonly home: string;
  /** Who called `sudo`. What is theirs is changed in their name. */
  readonly sudoUser: string | null;
  has(program: string): boolean;
  /** Empty for what is not a directory, or not for us. */
  list(directory: string): readonly string[];
  /** `null` for what is not there, or not for us. */
  text(file: string): string | null;
  run(step: Step): Promise<Ended>;
}

/** Where Java is, update-ca-certificates takes 10 s and more; what takes this long waits for something that will not come. */
const LONGEST_RUN_MS = 300_000;
/** Of a program's output; more is dropped. */
const MOST_OUTPUT = 1_000_000;

/** The machine that this process runs on. */
export function thisMachine(environment: NodeJS.ProcessEnv): Machine {
  const isRoot = process.getuid?.() === 0;
  const sudoUser = isRoot && environment['SUDO_USER'] !== 'root' ? (environment['SUDO_USER'] ?? null) : null;
  // update-ca-certificates and its like are not on everybody's PATH.
  const folders = [...(environment['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  const path = folders.join(delimiter);
  return {
    platform: process.platform,
    isRoot,
    home: (sudoUser === null ? null : homeOf(sudoUser)) ?? homedir(),
    sudoUser,
    has: (program) => folders.some((folder) => folder !== '' && isProgram(join(folder, program))),
    list: (directory) => unlessRefused(() => readdirSync(directory)) ?? [],
    text: (file) => unlessRefused(() => readFileSync(file, 'utf8')),
    run: (step) => run(step, { ...environment, PATH: path }),
  };
}

function isProgram(file: string): boolean {
  const isThere = (candidate: string): boolean =>
    unlessRefused(() => {
      accessSync(candidate, constants.X_OK);
      return true;
    }) ?? false;
  return isThere(file) || (process.platform === 'win32' && isThere(`${file}.exe`));
}

function homeOf(user: string): string | null {
  const accounts = unlessRefused(() => readFileSync('/etc/passwd', 'utf8')) ?? '';
  return (
    accounts
      .split('\n')
      .find((line) => line.startsWith(`${user}:`))
      ?.split(':')[5] ?? null
  );
}

function unlessRefused<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    // ENOENT, EACCES, ENOTDIR: not there for us.
    return null;
  }
}

function run([program, ...args]: Step, env: NodeJS.ProcessEnv): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  // Without standard input nothing can prompt.
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: LONGEST_RUN_MS });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      if (output[stream].length < MOST_OUTPUT) output[stream] += text;
    });
  }
  child.on('error', (error) => resolve({ code: null, stdout: '', stderr: error.message }));
  child.on('close', (code) => resolve({ code, ...output }));
  return promise;
}
