import type { Command } from '../command.ts';
import { CONFIG_OPTION, configPathOf, JSON_OPTION } from '../shared-options.ts';
import type { TestOptions } from '../test.ts';
import { UsageError } from '../usage-error.ts';

export const test: Command<TestOptions> = {
  name: 'test',
  summary: 'ask what the tests ask, and compare: no request is sent',
  group: 'configuration',
  options: {
    filter: { value: 'TEXT', summary: 'only tests with this in their name, request or route' },
    'fail-under': { value: 'PERCENT', summary: 'fail when the tests reach less than this share of the routes' },
    junit: { value: 'FILE', summary: 'write a report in the format of JUnit, too', completes: 'path' },
    ...CONFIG_OPTION,
    ...JSON_OPTION,
  },
  positionals: [],
  help: {
    lead: 'Run the tests of a configuration: those beside its routes, and those in *.test.yaml files next to it.',
    examples: ['headgate test', 'headgate test -c routes/ --fail-under 100 --junit report.xml'],
    notes: 'Exit codes: 1 when a test fails, 78 when configuration or tests are wrong. Nothing is started or sent.',
  },
  parse: (given, { environment }) => ({
    path: configPathOf(given, environment),
    json: given.on('json'),
    filter: given.text('filter') ?? null,
    failUnder: percentOf(given.text('fail-under')),
    junit: given.text('junit') ?? null,
  }),
  run: async (options, io) => (await import('../test.ts')).runTestCommand(options, io),
};

function percentOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const percent = /^\d{1,3}%?$/.test(text) ? Number.parseInt(text, 10) : Number.NaN;
  if (percent <= 100) return percent;
  throw new UsageError(`“${text}” is not a percentage`, 'For example: --fail-under 90');
}
