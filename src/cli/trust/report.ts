import type { Output } from '../command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { StoreReport, Wanted } from './change.ts';
import type { Authority } from './store.ts';

/** Two lines that tell one authority from another. */
export function describeAuthority({ file, subject, sha256, validUntil }: Authority): string {
  return `  ${file}\n  ${subject}, until ${validUntil.slice(0, 10)}, SHA-256 ${sha256}\n`;
}

/** Before anything is done: each store, and the commands that will run, or would. */
export function announcement(planned: readonly StoreReport[]): string {
  const changes = planned.filter(({ commands }) => commands.length > 0);
  return changes.map(({ label, commands }) => `${label}\n${commands.map((line) => `  ${line}\n`).join('')}`).join('');
}

/** Afterwards: a line for each store. */
export function results(reports: readonly StoreReport[], wanted: Wanted): string {
  const width = Math.max(0, ...reports.map(({ label }) => label.length));
  const lines = reports.map((report) => `${mark(report)} ${report.label.padEnd(width)}  ${said(report, wanted)}\n`);
  const browsers = reports.some(({ store, outcome }) => store.startsWith('nss:') && outcome === 'changed');
  return lines.join('') + (browsers ? 'Browsers that are running see it after a restart.\n' : '');
}

function mark({ outcome }: StoreReport): string {
  if (outcome === 'failed' || outcome === 'unable' || outcome === 'needs-root') return '✗';
  return outcome === 'changed' ? '✓' : '·';
}

function said({ outcome, reason }: StoreReport, wanted: Wanted): string {
  switch (outcome) {
    case 'changed':
      return wanted === 'trusted' ? 'trusted now' : 'removed';
    case 'unchanged':
      return wanted === 'trusted' ? 'trusted already' : 'nothing of Headgate is there';
    case 'needs-root':
      return 'needs root: run the commands with sudo above';
    case 'planned':
      return 'not done: --dry-run';
    default:
      return `${outcome}: ${reason}`;
  }
}

/** The worst decides: what root has to do is left to do; what failed or is missing has failed. */
export function exitCodeOf(reports: readonly StoreReport[]): ExitCode {
  if (reports.some(({ outcome }) => outcome === 'needs-root')) return exitCodes.noPermission;
  return reports.some(({ outcome }) => outcome === 'failed' || outcome === 'unable') ? exitCodes.failure : exitCodes.ok;
}

/** One JSON object on one line. */
export function writeJson(stdout: Output, value: unknown): void {
  stdout.write(`${JSON.stringify(value)}\n`);
}
