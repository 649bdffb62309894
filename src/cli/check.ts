import type { Diagnostic } from '../config/config-error.ts';
import type { LoadResult } from '../config/load.ts';
import { renderDiagnostics, renderDiagnosticsJson, wantsColour } from '../config/render.ts';
import type { Config } from '../config/schema/config.ts';
import type { Output } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export interface CheckOptions {
  /** Directory or file. */
  readonly path: string;
  readonly json: boolean;
}

export interface CheckDependencies {
  readonly load: (path: string) => LoadResult;
  /** Every mistake, those included that only show when it is compiled: regexes, variables, networks, hidden routes. */
  readonly mistakesIn: (loaded: LoadResult) => readonly Diagnostic[];
  readonly stdout: Output;
  readonly stderr: Output;
}

/**
 * `headgate check`: every mistake at once, on standard error; as one JSON object on standard output with `--json`.
 * Resolves with the exit code: 78 when something is wrong.
 */
export async function check({ path, json }: CheckOptions, deps: CheckDependencies): Promise<ExitCode> {
  const loaded = deps.load(path);
  const diagnostics = deps.mistakesIn(loaded);
  if (loaded.ok && diagnostics.length === 0) {
    const counts = countsOf(loaded.config, loaded.files.size);
    deps.stdout.write(
      json ? `${JSON.stringify({ ok: true, ...counts })}\n` : `${path} is valid: ${sentence(counts)}\n`,
    );
    return exitCodes.ok;
  }
  if (json) deps.stdout.write(renderDiagnosticsJson(diagnostics));
  else
    deps.stderr.write(
      renderDiagnostics(diagnostics, { files: loaded.files, colour: wantsColour(deps.stderr, process.env) }),
    );
  return exitCodes.configuration;
}

interface Counts {
  readonly files: number;
  readonly listeners: number;
  readonly pools: number;
  readonly routes: number;
}

function countsOf(config: Config, files: number): Counts {
  return {
    files,
    listeners: Object.keys(config.listeners).length,
    pools: Object.keys(config.pools).length,
    routes: config.routes.length,
  };
}

function sentence({ files, listeners, pools, routes }: Counts): string {
  const parts = [counted(listeners, 'listener'), counted(pools, 'pool'), counted(routes, 'route')];
  return `${parts.join(', ')} in ${counted(files, 'file')}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
