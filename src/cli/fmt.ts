import {
  chmodSync,
  closeSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Diagnostic } from '../config/config-error.ts';
import { formatYaml } from '../config/format.ts';
import { type Files, readFiles } from '../config/load.ts';
import { renderDiagnostics, wantsColour } from '../config/render.ts';
import type { Io } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export interface FormatOptions {
  /** Files and directories; `-` alone for standard input. */
  readonly paths: readonly string[];
  /** Change nothing, name what would change. */
  readonly check: boolean;
}

/**
 * `headgate fmt`: formats files where they stand, and names those that changed. What does not parse is told, and not touched.
 * @throws what the file system says of a file that can't be written; those before it are done
 */
export async function format({ paths, check }: FormatOptions, io: Io): Promise<ExitCode> {
  if (paths[0] === '-') return formatInput(check, io);
  const found = paths.map(readFiles);
  const files = new Map(found.flatMap((read) => [...read.files]));
  const diagnostics: Diagnostic[] = [];
  let changes = 0;
  for (const [file, text] of files) {
    const formatted = formatYaml(file, text);
    if (!formatted.ok) diagnostics.push(...formatted.diagnostics);
    else if (formatted.text !== text) {
      if (!check) replace(file, formatted.text);
      io.stdout.write(`${file}\n`);
      changes += 1;
    }
  }
  diagnostics.push(...found.flatMap((read) => read.diagnostics));
  if (diagnostics.length > 0) return refuse(diagnostics, files, io);
  return check && changes > 0 ? exitCodes.failure : exitCodes.ok;
}

const INPUT = '<stdin>';

async function formatInput(check: boolean, io: Io): Promise<ExitCode> {
  const text = await textOf(io.stdin);
  const formatted = formatYaml(INPUT, text);
  if (!formatted.ok) return refuse(formatted.diagnostics, new Map([[INPUT, text]]), io);
  if (!check) io.stdout.write(formatted.text);
  else if (formatted.text !== text) io.stdout.write(`${INPUT}\n`);
  return check && formatted.text !== text ? exitCodes.failure : exitCodes.ok;
}

async function textOf(stdin: Io['stdin']): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of stdin) parts.push(typeof part === 'string' ? Buffer.from(part) : part);
  return Buffer.concat(parts).toString();
}

function refuse(diagnostics: readonly Diagnostic[], files: Files, { stderr, environment }: Io): ExitCode {
  const colour = wantsColour(stderr, environment);
  stderr.write(renderDiagnostics(diagnostics, { files, colour, closing: 'Such a file was not touched.' }));
  return exitCodes.configuration;
}

/** Whoever reads it sees the old text or the new one, never half of it. A link leads to the file that is replaced. */
function replace(file: string, text: string): void {
  const target = realpathSync(file);
  const { mode, uid, gid } = statSync(target);
  const fresh = join(dirname(target), `.${basename(target)}.${process.pid}`);
  const descriptor = openSync(fresh, 'wx', 0o600);
  try {
    // Not `writeSync`: a disk that fills up takes a part, and that would be all of the configuration.
    writeFileSync(descriptor, text);
    if (process.getuid?.() === 0) fchownSync(descriptor, uid, gid);
    fsyncSync(descriptor);
    chmodSync(fresh, mode & 0o7777);
    renameSync(fresh, target);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}
