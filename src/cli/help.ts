import { type Command, GROUPS, type OptionSpecs } from './command.ts';
import { COMMON_OPTIONS } from './options.ts';
import { MAPPING_OPTIONS } from './zero-config-arguments.ts';

/** The help of a command, examples first. Ends with a line end. */
export function commandHelp({ help, options }: Command): string {
  const { lead, examples, notes } = help;
  const listed = Object.keys(options).length === 0 ? [] : [optionLines(options)];
  const parts = [`${lead}\n`, examples.map((example) => `  ${example}\n`).join(''), ...listed];
  return [...parts, ...(notes === undefined ? [] : [`${notes}\n`])].join('\n');
}

const HEAD = `Headgate is a reverse proxy: HTTPS in front, your services behind it.

  headgate /api=3000 /=5173                  two services on https://localhost:8443/, no file needed
  headgate app.localhost=5173                one by its own name
  headgate start                             the configuration in routes/
  headgate check -c gateway.yaml             is it right? Every mistake, with its line
`;

const MAPPINGS = `Without a command: ROUTE=TARGET …
  /api=3000               localhost:3000 gets /api and everything below it
  /api/=3000              the same, but without the /api (note the slash)
  /api=host:3000          another machine
  /api=3000,3001          in turn
  app.localhost=3000      a host name; app.localhost/api=3000 with a path
  /api=https://api.example.com/v2            a site, with a path in front
`;

const EXIT_CODES =
  'Exit codes: 0 fine, 1 failure, 2 usage, 69 unavailable, 75 address in use, 77 no permission, 78 configuration.\n';

/** The help of the whole: what it is for, every command by group, and how to do without one. Ends with a line end. */
export function mainHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ group, name }) => (group === null ? 0 : name.length)));
  const groups = Object.entries(GROUPS).map(([group, title]) => {
    const members = commands.filter((command) => command.group === group);
    return `${title}\n${members.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`).join('')}`;
  });
  const mappings = `${MAPPINGS}\n${optionLines(MAPPING_OPTIONS)}`;
  return [HEAD, ...groups, mappings, optionLines(COMMON_OPTIONS), EXIT_CODES].join('\n');
}

function optionLines(options: OptionSpecs): string {
  const labelled = Object.entries(options).map(([name, { short, value, summary }]) => {
    const names = short === undefined ? `--${name}` : `-${short}, --${name}`;
    return { label: value === undefined ? names : `${names} ${value}`, summary };
  });
  const width = Math.max(...labelled.map(({ label }) => label.length)) + 3;
  const nextLine = `\n${' '.repeat(width + 2)}`;
  return labelled
    .map(({ label, summary }) => `  ${label.padEnd(width)}${summary.replaceAll('\n', nextLine)}\n`)
    .join('');
}
