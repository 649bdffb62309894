import { writeFileSync } from 'node:fs';
import type { Diagnostic } from '../config/config-error.ts';
import type { Loaded } from '../config/load.ts';
import { loadTests } from '../config/load-tests.ts';
import { renderDiagnostics, renderDiagnosticsJson, wantsColour } from '../config/render.ts';
import { collectTests, type TestCase } from '../control/expectations/collect.ts';
import { runTests } from '../control/expectations/run.ts';
import type { Io } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { junitReport } from './junit.ts';
import { jsonReport, textReport } from './test-report.ts';
import { type Compiled, withConfiguration } from './with-configuration.ts';

export interface TestOptions {
  /** Directory or file of the configuration. */
  readonly path: string;
  readonly json: boolean;
  /** `null`: all tests. */
  readonly filter: string | null;
  /** Percent of the routes; `null` for any. */
  readonly failUnder: number | null;
  /** File of a report in the format of JUnit; `null` for none. */
  readonly junit: string | null;
}

/** `headgate test`: resolves with the exit code. */
export function runTestCommand(options: TestOptions, io: Io): Promise<number> {
  return withConfiguration(options, io, (loaded, compiled) => test(options, io, { loaded, compiled }));
}

function test(
  options: TestOptions,
  io: Io,
  { loaded, compiled }: { readonly loaded: Loaded; readonly compiled: Compiled },
): number {
  const { config, origins } = loaded;
  const { files, diagnostics, texts } = loadTests(options.path, io.environment);
  const collected = collectTests({ config, origins }, files);
  const mistakes = [...diagnostics, ...collected.diagnostics];
  if (mistakes.length > 0) return refuse(mistakes, new Map([...loaded.files, ...texts]), { ...io, json: options.json });
  const cases = collected.cases.filter((one) => isWanted(one, options.filter));
  const subject = { snapshot: compiled.snapshot, config, origins, ports: new Map(), running: false, nowMs: Date.now() };
  if (cases.length === 0) {
    const why = options.filter === null ? 'There are no tests' : `No test has “${options.filter}” in it`;
    if (options.json) io.stdout.write(jsonReport(runTests(subject, []), options.failUnder));
    io.stderr.write(`headgate: ${why}\n  Tests are beside routes (tests:), or in ${options.path}: docs/testing.md\n`);
    return exitCodes.failure;
  }
  const run = runTests(subject, cases);
  io.stdout.write(options.json ? jsonReport(run, options.failUnder) : textReport(run, options.failUnder));
  const written = options.junit === null || write(options.junit, junitReport(run), io);
  const isCovered = options.failUnder === null || run.coverage.percent >= options.failUnder;
  return written && isCovered && run.results.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.failure;
}

function isWanted({ name, question, expected }: TestCase, filter: string | null): boolean {
  if (filter === null) return true;
  const { method, scheme, authority, target } = question;
  const texts = [name, `${method} ${scheme}://${authority}${target}`, String(expected.route ?? '')];
  return texts.some((text) => text.toLowerCase().includes(filter.toLowerCase()));
}

function refuse(
  mistakes: readonly Diagnostic[],
  files: ReadonlyMap<string, string>,
  { stdout, stderr, environment, json }: Io & { readonly json: boolean },
): number {
  if (json) stdout.write(renderDiagnosticsJson(mistakes));
  else stderr.write(renderDiagnostics(mistakes, { files, colour: wantsColour(stderr, environment) }));
  return exitCodes.configuration;
}

function write(file: string, text: string, { stderr }: Io): boolean {
  try {
    writeFileSync(file, text);
    return true;
  } catch (error) {
    stderr.write(`headgate: Cannot write ${file}: ${(error as NodeJS.ErrnoException).code}\n`);
    return false;
  }
}
