import type { TestResult, TestRun } from '../control/expectations/run.ts';
import { failureLines } from './test-report.ts';

/** The XML that build servers read: https://github.com/testmoapp/junitxml. One suite, a case for each test, its file as the class. */
export function junitReport({ results }: TestRun): string {
  const failures = results.filter(({ ok }) => !ok).length;
  const counts = `tests="${results.length}" failures="${failures}" errors="0" skipped="0"`;
  const cases = results.map(testCase).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="headgate" ${counts}>\n  <testsuite name="headgate test" ${counts}>\n${cases}  </testsuite>\n</testsuites>\n`;
}

function testCase(result: TestResult): string {
  const [, file = result.at, line = ''] = /^(.*):(\d+)$/s.exec(result.at) ?? [];
  const open = `    <testcase name="${escaped(result.name)}" classname="${escaped(file)}" file="${escaped(file)}" line="${line}"`;
  if (result.ok) return `${open}/>\n`;
  const [first = ''] = failureLines(result);
  const text = failureLines(result).join('\n');
  return `${open}>\n      <failure message="${escaped(first)}">${escaped(text)}</failure>\n    </testcase>\n`;
}

/** Control characters can't be said in XML 1.0 at all (§2.2). */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '�')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
