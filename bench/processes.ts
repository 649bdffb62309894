import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

/** Linux counts CPU time in ticks of 10 ms (`getconf CLK_TCK` is 100 on every supported machine). */
const TICK_US = 10_000;

/** The proxy under test has this core alone; load generator and origin share the other, so that they never steal its time. */
export const PROXY_CORE = '0';
export const OTHER_CORE = '1';

export interface Running {
  readonly name: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface Command {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
  /** Waits until this port accepts connections. */
  readonly port: number;
  readonly core: 'proxy' | 'other';
  /** In place of that one core: a list as `taskset` takes it. */
  readonly cores?: string;
  /** Its standard output is appended to this file, and is not in the error when it does not start. */
  readonly output?: string;
}

/** Starts a server in the foreground, pinned, and resolves when it accepts connections. Rejects with its output if it ends first. */
export async function start(command: Command): Promise<Running> {
  const core = command.cores ?? (command.core === 'proxy' ? PROXY_CORE : OTHER_CORE);
  const file = command.output === undefined ? null : openSync(command.output, 'a');
  const child = spawn('taskset', ['-c', core, ...command.argv], {
    env: { ...process.env, ...command.environment },
    stdio: ['ignore', file ?? 'pipe', 'pipe'],
  });
  if (file !== null) closeSync(file);
  endWithUs(child);
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  await Promise.race([
    accepting(command.port),
    once(child, 'exit').then(() => Promise.reject(new Error(`${command.name} did not start:\n${output}`))),
  ]);
  return { name: command.name, pid: child.pid as number, stop: () => stop(child) };
}

const children = new Set<ChildProcess>();

/** Whatever ends this process ends what it has started. */
function endWithUs(child: ChildProcess): void {
  if (process.listenerCount('SIGTERM') === 0) {
    process.once('exit', () => {
      for (const one of children) one.kill('SIGTERM');
    });
    process.once('SIGINT', () => process.exit(130));
    process.once('SIGTERM', () => process.exit(143));
  }
  children.add(child);
  child.once('exit', () => children.delete(child));
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(forced);
}

async function accepting(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await canConnect(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Nothing accepts connections on port ${port}`);
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** User and system time of a process and its children so far, in microseconds. */
export function cpuMicroseconds(pid: number): number {
  let ticks = 0;
  for (const member of tree(pid)) ticks += statTicks(member);
  return ticks * TICK_US;
}

/** Resident memory of a process and its children, in MiB. */
export function residentMebibytes(pid: number): number {
  let kibibytes = 0;
  for (const member of tree(pid)) {
    const resident = /VmRSS:\s+(\d+)/.exec(read(`/proc/${member}/status`));
    kibibytes += resident === null ? 0 : Number(resident[1]);
  }
  return kibibytes / 1024;
}

function tree(root: number): number[] {
  const members = [root];
  for (const entry of readdirSync('/proc')) {
    if (/^\d+$/.test(entry) && isDescendant(Number(entry), root)) members.push(Number(entry));
  }
  return members;
}

function isDescendant(pid: number, root: number): boolean {
  for (let current = parentOf(pid); current > 1; current = parentOf(current)) if (current === root) return true;
  return false;
}

function parentOf(pid: number): number {
  return Number(statFields(pid)[1] ?? 0);
}

/** utime and stime are fields 14 and 15 of `/proc/PID/stat` (proc(5)); the fields here start after the command name. */
function statTicks(pid: number): number {
  const fields = statFields(pid);
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

function statFields(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The process ended between listing and reading (ENOENT, ESRCH).
    return '';
  }
}
