import { readFileSync } from 'node:fs';
import type { Diagnostic } from '../config/config-error.ts';
import { renderDiagnostics, wantsColour } from '../config/render.ts';
import type { Output } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** What a running gateway has found wrong in its files, as `headgate check` tells it. */
export function refusedConfiguration(
  diagnostics: readonly Diagnostic[],
  stderr: Output,
): { readonly code: ExitCode; readonly text: string } {
  const files = new Map(diagnostics.flatMap(({ file }) => textOf(file)));
  const closing = 'The running configuration was not touched.';
  const colour = wantsColour(stderr, process.env);
  return { code: exitCodes.configuration, text: renderDiagnostics(diagnostics, { files, colour, closing }) };
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
