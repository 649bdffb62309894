import { type Loaded, loadConfig } from '../config/load.ts';
import type { Compiled as WholeCompiled } from '../control/compile.ts';
import { check } from './check.ts';
import type { Io } from './command.ts';
import { compileOnly, mistakesIn } from './compile-only.ts';
import type { ExitCode } from './exit-codes.ts';

interface Selection {
  /** Directory or file. */
  readonly path: string;
  readonly json: boolean;
}

/** `headgate check` on the files of this machine. */
export function checkConfiguration(options: Selection, { stdout, stderr, environment }: Io): Promise<ExitCode> {
  return check(options, { load: (path) => loadConfig(path, environment), mistakesIn, stdout, stderr });
}

/** What the compiler made of a configuration. */
export type Compiled = Pick<WholeCompiled, 'snapshot' | 'routes' | 'quarantined'>;

/** Runs `use` on a configuration that `headgate check` would accept; otherwise says what that says. */
export async function withConfiguration(
  options: Selection,
  io: Io,
  use: (loaded: Loaded, compiled: Compiled) => number | Promise<number>,
): Promise<number> {
  const loaded = loadConfig(options.path, io.environment);
  const compiled = loaded.ok ? compileOnly(loaded) : null;
  if (!loaded.ok || compiled === null || !compiled.ok) return checkConfiguration(options, io);
  return use(loaded, compiled);
}
