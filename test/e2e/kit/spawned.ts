import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { OutputLines } from './output-lines.ts';
import { within } from './patience.ts';

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SpawnOptions {
  readonly cwd: string;
  /** Besides this process's own; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const running = new Set<Spawned>();

// A run that is broken off must not leave its children behind.
process.on('exit', () => {
  for (const child of running) child.signal('SIGKILL');
});

/** A child process with its output and its end. */
export class Spawned {
  readonly pid: number;
  readonly stdout: OutputLines;
  readonly stderr: OutputLines;
  /** Settles when the process has ended and its output has been read. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;

  constructor(program: string, args: readonly string[], options: SpawnOptions) {
    const env = { ...process.env, ...options.env };
    this.#child = spawn(program, args, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.stdout = new OutputLines(this.#child.stdout);
    this.stderr = new OutputLines(this.#child.stderr);
    this.pid = this.#child.pid ?? 0;
    running.add(this);
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code, signal) => resolve({ code, signal }));
    });
    // Whoever waits for the end hears of a program that can't be started; nobody has to wait.
    this.ended.then(
      () => running.delete(this),
      () => running.delete(this),
    );
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    if (this.alive) this.#child.kill(name);
  }

  /** Ends it if it still runs: asked first, then killed. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    this.signal('SIGINT');
    try {
      await within(this.ended, 'the process to end', 5_000);
    } catch {
      this.signal('SIGKILL');
      await within(this.ended, 'the killed process to end');
    }
  }
}

export interface Finished extends Ending {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions extends SpawnOptions {
  readonly patienceMs?: number;
}

/** Runs a program to its end. Killed when that takes longer than `patienceMs`. */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const child = new Spawned(program, args, options);
  try {
    const ending = await within(child.ended, `${program} ${args.join(' ')} to end`, options.patienceMs);
    return { ...ending, stdout: child.stdout.text, stderr: child.stderr.text };
  } finally {
    child.signal('SIGKILL');
  }
}
