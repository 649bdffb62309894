import type { Quarantined } from '../control/quarantine.ts';
import type { Logger } from '../observe/log.ts';

/** A line for each part that is out of service and was not before, and one for each that serves again. */
export function logQuarantine(log: Logger, before: readonly Quarantined[], now: readonly Quarantined[]): void {
  const known = new Set(before.map(verdictOf));
  for (const one of now) {
    if (known.has(verdictOf(one))) continue;
    const { kind, name, effect, code, file, line, column, message } = one;
    log.error(
      { kind, name, effect, code, file, line, column, problem: message },
      'A part of the configuration is quarantined',
    );
  }
  const gone = new Map(before.map(({ kind, name }) => [partOf(kind, name), { kind, name }]));
  for (const { kind, name } of now) gone.delete(partOf(kind, name));
  for (const part of gone.values()) log.info(part, 'A part of the configuration is quarantined no more');
}

function verdictOf({ kind, name, message }: Quarantined): string {
  return JSON.stringify([kind, name, message]);
}

function partOf(kind: string, name: string): string {
  return `${kind} ${name}`;
}
