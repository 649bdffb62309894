import type { Coverage, TestResult, TestRun } from '../control/expectations/run.ts';
import { plain } from './admin-outcome.ts';

/** For people: a line for each test, what is different below it, and what the tests reach. */
export function textReport({ results, coverage }: TestRun, failUnder: number | null): string {
  const width = Math.max(...results.map(({ name }) => name.length));
  const lines = results.flatMap((result) => [
    `${result.ok ? '✓' : '✗'} ${result.name.padEnd(width)}  ${result.at}`,
    ...failureLines(result).map((line) => `    ${line}`),
  ]);
  return `${[...lines, '', summary(results), ...coverageLines(coverage, failUnder)].map(plain).join('\n')}\n`;
}

/** What is different, one expectation a line. */
export function failureLines({ differences, hint }: TestResult): readonly string[] {
  const width = Math.max(0, ...differences.map(({ field }) => field.length));
  const lines = differences.map(
    ({ field, expected, actual, at }) => `${field.padEnd(width)}  expected ${expected}, is ${actual}  ${at}`,
  );
  // It is about the route, which is the first of them.
  return hint === null ? lines : [...lines.slice(0, 1), `${' '.repeat(width)}  ${hint}`, ...lines.slice(1)];
}

function summary(results: readonly TestResult[]): string {
  const failed = results.filter(({ ok }) => !ok).length;
  const passed = results.length - failed;
  const all = `${results.length} ${results.length === 1 ? 'test' : 'tests'}`;
  return failed === 0 ? `${all} passed` : `${all}: ${passed} passed, ${failed} failed`;
}

function coverageLines({ routes, reached, percent, unreached }: Coverage, failUnder: number | null): string[] {
  const isShort = failUnder !== null && percent < failUnder;
  const wanted = isShort ? `, less than ${failUnder}%` : '';
  return [
    `${reached} of ${routes} routes reached (${percent}%)${wanted}`,
    ...unreached.map(({ name, at }) => `  not reached: ${name}${name === at ? '' : `  ${at}`}`),
  ];
}

/** For programs. No test at all is no success. */
export function jsonReport({ results, coverage }: TestRun, failUnder: number | null): string {
  const isCovered = failUnder === null || coverage.percent >= failUnder;
  const ok = isCovered && results.length > 0 && results.every((result) => result.ok);
  return `${JSON.stringify({ ok, tests: results, coverage })}\n`;
}
