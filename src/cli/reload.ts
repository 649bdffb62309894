import type { ReloadReport } from '../control/reload.ts';
import { type AdminAccess, askAdmin } from './admin-client.ts';
import { answered, type Outputs, plain } from './admin-outcome.ts';
import type { ExitCode } from './exit-codes.ts';
import { refusedConfiguration } from './refused-configuration.ts';

/** `headgate reload`: tells what has changed; or what is wrong, as `headgate check` does. */
export function orderReload(access: AdminAccess, json: boolean, outputs: Outputs): Promise<ExitCode> {
  const asked = { method: 'POST', path: '/reload', body: {}, patienceMs: PATIENCE_MS } as const;
  return answered(() => askAdmin(access, asked), {
    ...outputs,
    json,
    text: (body) => plainLines(appliedText(body as ReloadReport)),
    refused: ({ status, body }) => {
      if (status !== 422) return null;
      return refusedConfiguration((body as { readonly report: ReloadReport }).report.diagnostics, outputs.stderr);
    },
  });
}

/** Workers have two minutes to get ready for it; who gives up would not know whether it was done. */
const PATIENCE_MS = 150_000;

/** One line for what was done, and one for each thing that is to be known of it. */
function appliedText({ tookMs, changes }: ReloadReport): readonly string[] {
  const head = `Reloaded in ${Math.round(tookMs)} ms`;
  if (changes === null) return [head];
  const { listeners, needsRestart, quarantined } = changes;
  const counts = [countsText('routes', { ...changes.routes }), countsText('pools', { ...changes.pools })].flat();
  const doors = Object.entries(listeners).flatMap(([what, names]) =>
    names.length === 0 ? [] : [`  listeners ${what}: ${names.join(', ')}`],
  );
  const sections = needsRestart.length === 0 ? [] : [`  not before a restart: changes of ${needsRestart.join(', ')}`];
  const parts = quarantined.map(
    ({ kind, name, message, file, line, column }) =>
      `  quarantined: ${kind} ${name}, ${message} (${file}:${line}:${column})`,
  );
  return [head, ...counts, ...doors, ...sections, ...parts];
}

/** `  routes: 1 added, 2 changed`; nothing where nothing has changed. */
function countsText(what: string, counts: Readonly<Record<string, number>>): readonly string[] {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length === 0 ? [] : [`  ${what}: ${some.map(([how, count]) => `${count} ${how}`).join(', ')}`];
}

function plainLines(lines: readonly string[]): string {
  return lines.map((line) => `${plain(line)}\n`).join('');
}
