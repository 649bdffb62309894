import { readFileSync } from 'node:fs';
import { renderDiagnostics, wantsColour } from '../config/render.ts';
import type { ReloadReport } from '../control/reload.ts';
import { type AdminAccess, askAdmin } from './admin-client.ts';
import { answered, type Outputs, plain } from './admin-outcome.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** `headgate reload`: tells what has changed; or what is wrong, as `headgate check` does. */
export function orderReload(access: AdminAccess, json: boolean, outputs: Outputs): Promise<ExitCode> {
  return answered(() => askAdmin(access, { method: 'POST', path: '/reload', body: {} }), {
    ...outputs,
    json,
    text: (body) => plainLines(appliedText(body as ReloadReport)),
    refused: ({ status, body }) => {
      if (status !== 422) return null;
      const { diagnostics } = (body as { readonly report: ReloadReport }).report;
      const files = new Map(diagnostics.flatMap(({ file }) => textOf(file)));
      const closing = 'The running configuration was not touched.';
      const colour = wantsColour(outputs.stderr, process.env);
      return { code: exitCodes.configuration, text: renderDiagnostics(diagnostics, { files, colour, closing }) };
    },
  });
}

/** One line for what was done, and one for each thing that is to be known of it. */
function appliedText({ tookMs, changes }: ReloadReport): readonly string[] {
  const { listeners, needsRestart, quarantined } = changes ?? {
    listeners: { opened: [], changed: [], closed: [] },
    needsRestart: [],
    quarantined: [],
  };
  const doors = Object.entries(listeners).flatMap(([what, names]) =>
    names.length === 0 ? [] : [`  listeners ${what}: ${names.join(', ')}`],
  );
  const sections = needsRestart.length === 0 ? [] : [`  not before a restart: changes of ${needsRestart.join(', ')}`];
  const parts = quarantined.map(
    ({ kind, name, message, file, line, column }) =>
      `  quarantined: ${kind} ${name}, ${message} (${file}:${line}:${column})`,
  );
  return [`Reloaded in ${Math.round(tookMs)} ms`, ...doors, ...sections, ...parts];
}

function plainLines(lines: readonly string[]): string {
  return lines.map((line) => `${plain(line)}\n`).join('');
}

/** The file is shown where the gateway runs on this machine, from this directory; else the mistakes alone. */
function textOf(file: string): readonly (readonly [string, string])[] {
  try {
    return [[file, readFileSync(file, 'utf8')]];
  } catch {
    // It is on another machine, or not for us.
    return [];
  }
}
