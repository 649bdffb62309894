import { readdirSync, readFileSync } from 'node:fs';

/** Resident memory of a process, in bytes. Linux. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (line === null) throw new Error(`Cannot read the resident memory of process ${pid}`);
  return Number(line[1]) * 1024;
}

/** Open file descriptors of a process: sockets, pipes, files. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Processes whose parent is `pid`. */
export function childrenOf(pid: number): number[] {
  return runningProcesses().filter((candidate) => parentOf(candidate) === pid);
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH: it has ended.
  }
}

function runningProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number | null {
  try {
    // "pid (name) state parent …": the name may hold blanks and parentheses itself.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null; // It ended while we looked.
  }
}
