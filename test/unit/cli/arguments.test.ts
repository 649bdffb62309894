import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { commandHelp, mainHelp } from '../../../src/cli/help.ts';
import { COMMANDS } from '../../../src/cli/registry.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';

/** The name of the command and its options, on one level. */
function parsed(argv: readonly string[], environment: Record<string, string> = {}): Record<string, unknown> {
  const { command, options } = parseArguments(argv, environment);
  return { ...(options as object), command: command.name };
}

const parse = (line: string, environment: Record<string, string> = {}) =>
  parsed(line === '' ? [] : line.split(' '), environment);

const named = (name: string) => expect.objectContaining({ name });

describe('a command line', () => {
  test.each([
    ['', { command: 'help', topic: null }],
    ['--help', { command: 'help', topic: null }],
    ['-h', { command: 'help', topic: null }],
    ['help', { command: 'help', topic: null }],
    ['help start', { command: 'help', topic: named('start') }],
    ['start --help', { command: 'help', topic: named('start') }],
    ['check -h', { command: 'help', topic: named('check') }],
    ['/api=3000 --help', { command: 'help', topic: null }],
    ['--version', { command: 'version' }],
    ['-V', { command: 'version' }],
    ['version', { command: 'version' }],
    ['check --version', { command: 'version' }],
    ['start', { command: 'start', path: 'routes', inline: null, demo: false, strict: false }],
    ['start --demo', { command: 'start', path: 'routes', inline: null, demo: true, strict: false }],
    ['start -c gateway.yaml', { command: 'start', path: 'gateway.yaml', inline: null, demo: false, strict: false }],
    ['start --config=x/', { command: 'start', path: 'x/', inline: null, demo: false, strict: false }],
    ['check', { command: 'check', path: 'routes', json: false }],
    ['check --json -c x', { command: 'check', path: 'x', json: true }],
    ['routes --json', { command: 'routes', path: 'routes', json: true, listener: null, pool: null, host: null }],
    ['config -c x', { command: 'config', path: 'x', json: false, origin: false }],
    ['schema', { command: 'schema' }],
    ['status --json', { command: 'status', place: { url: null, path: null, tokenFile: null }, json: true }],
    [
      'drain shop 10.0.0.1:3000 --admin http://127.0.0.1:4700 --token-file t',
      {
        ...{ command: 'drain', pool: 'shop', endpoint: '10.0.0.1:3000', json: false },
        place: { url: new URL('http://127.0.0.1:4700'), path: null, tokenFile: 't' },
      },
    ],
    [
      'weight shop a:1 default -c x',
      {
        ...{ command: 'weight', pool: 'shop', endpoint: 'a:1', weight: null, json: false },
        place: { url: null, path: 'x', tokenFile: null },
      },
    ],
    ['trust', { command: 'trust', certs: null, dryRun: false, json: false }],
    ['trust --dry-run --json', { command: 'trust', certs: null, dryRun: true, json: true }],
    ['untrust --certs x', { command: 'untrust', certs: 'x', dryRun: false, json: false }],
    ['cert App.localhost', { command: 'cert', names: ['app.localhost'], certs: null, out: null, json: false }],
    [
      'cert a.test *.a.test ::1 -o x',
      { command: 'cert', names: ['a.test', '*.a.test', '::1'], certs: null, out: 'x', json: false },
    ],
    ['demo slow', { command: 'demo', service: 'slow', address: '127.0.0.1', port: 9002 }],
    ['demo fine --address 0.0.0.0 --port 0', { command: 'demo', service: 'fine', address: '0.0.0.0', port: 0 }],
  ])('headgate %s', (line, command) => {
    expect(parse(line)).toEqual(command);
  });

  test('of a request to explain', () => {
    const argv = ['route', 'POST', 'https://shop.example/a?b', '-H', 'X-Beta: on', '--header', 'x:y:z', '--explain'];
    expect(parsed(argv)).toMatchObject({
      command: 'route',
      path: 'routes',
      place: null,
      question: { method: 'POST', scheme: 'https', authority: 'shop.example', target: '/a?b', client: '127.0.0.1' },
      explain: true,
      json: false,
    });
    expect(parsed(argv)['question']).toMatchObject({ headers: ['X-Beta', 'on', 'x', 'y:z'] });
    expect(parse('route http://a.test/ --admin http://127.0.0.1:1')).toMatchObject({ place: { path: null } });
    expect(parse('route http://a.test/')).toMatchObject({ question: { method: 'GET', headers: [] }, explain: false });
  });

  test('of routes and targets', () => {
    expect(parse('/api=3000 app.localhost=5173 -p 443 --listen ::1 --http-port 80 --admin-port 0')).toMatchObject({
      command: 'start',
      demo: false,
      inline: {
        listeners: { https: { address: '::1', port: 443 }, http: { address: '::1', port: 80 } },
        admin: { port: 0 },
        pools: { api: { endpoints: ['localhost:3000'] }, 'app.localhost': { endpoints: ['localhost:5173'] } },
      },
    });
    expect(parse('--port 1 /=3000')).toMatchObject({ command: 'start', inline: { listeners: { https: { port: 1 } } } });
  });
});

describe('flags win over the environment, which wins over defaults', () => {
  const environment = { HEADGATE_CONFIG: 'from-environment', HEADGATE_PORT: '1', HEADGATE_LISTEN: '::' };
  test('for the configuration', () => {
    expect(parse('start', environment)).toMatchObject({ path: 'from-environment' });
    expect(parse('start -c flag', environment)).toMatchObject({ path: 'flag' });
  });
  test('for the listener', () => {
    const https = (line: string) => expect(parse(line, environment));
    https('/=3000').toMatchObject({ inline: { listeners: { https: { address: '::', port: 1 } } } });
    https('/=3000 --port 2 --listen ::1').toMatchObject({
      inline: { listeners: { https: { address: '::1', port: 2 } } },
    });
  });
});

describe('a wrong command line', () => {
  const listed = COMMANDS.filter(({ name, group }) => group !== null && !['help', 'version'].includes(name));
  const ALL = `There are ${listed.map(({ name }) => name).join(', ')}; or ROUTE=TARGET, as in /api=3000`;
  const URL_EXAMPLE = 'For example: headgate route GET https://shop.example/api/users/7';
  test.each([
    ['strat', '“strat” is not a command', 'Did you mean “headgate start”?'],
    ['chekc --json', '“chekc” is not a command', 'Did you mean “headgate check”?'],
    ['frobnicate', '“frobnicate” is not a command', ALL],
    ['help strat', '“strat” is not a command', 'Did you mean “headgate start”?'],
    ['3000', '“3000” is not ROUTE=TARGET', 'Did you mean “/=3000”?'],
    [
      '/api',
      '“/api” is not ROUTE=TARGET',
      'For example: /api=3000, /api/=host:3000, app.localhost=5173, /api=https://api.example.com/v2',
    ],
    [
      '/api=3000 start',
      '“start” is not ROUTE=TARGET',
      'For example: /api=3000, /api/=host:3000, app.localhost=5173, /api=https://api.example.com/v2',
    ],
    ['--port 1', 'There is no command', 'For example: headgate start'],
    ['start --conifg x', '--conifg is not an option of “headgate start”', 'Did you mean --config?'],
    ['check --demo', '--demo is not an option of “headgate check”', 'There are --config, --json, --help, --version'],
    ['check -x', '-x is not an option of “headgate check”', 'There are --config, --json, --help, --version'],
    ['/=1 --prot 2', '--prot is not an option', 'Did you mean --port?'],
    [
      'start --constructor',
      '--constructor is not an option of “headgate start”',
      'There are --config, --demo, --strict, --help, --version',
    ],
    ['start -c', '-c needs a value', null],
    ['start --config=', '--config needs a value', null],
    ['start --demo=yes', '--demo takes no value', null],
    ['start -c a -c b', '-c is given twice', null],
    [
      'start routes/',
      '“headgate start” does not take “routes/”',
      'A configuration is named by -c: headgate start -c routes/',
    ],
    ['schema x', '“headgate schema” does not take “x”', null],
    ['/=1 --port https', '“https” is not a port', 'A port is a number from 0 to 65535: --port 8443'],
    ['/=1 --admin-port 65536', '“65536” is not a port', 'A port is a number from 0 to 65535: --admin-port 8443'],
    ['route', '“headgate route” needs a URL', URL_EXAMPLE],
    ['route /api', '“/api” is not a URL', URL_EXAMPLE],
    ['route GET ftp://a/', '“ftp://a/” is not a URL', URL_EXAMPLE],
    ['route GET http://a/ b', '“headgate route” does not take “b”', URL_EXAMPLE],
    ['route http://a/ --client 10.0.0', '“10.0.0” is not an IP address', 'For example: --client 192.0.2.7'],
    ['route http://a/ --body-bytes x', '“x” is not a number of bytes', 'For example: --body-bytes 1024'],
    ['route http://a/ -H x', '“x” is not a header field', "For example: -H 'X-Beta: on'"],
    ['drain', '“headgate drain” needs a pool and an endpoint', 'For example: headgate drain shop 10.0.0.11:3000'],
    ['drain shop', '“headgate drain” needs an endpoint of “shop”', 'For example: headgate drain shop 10.0.0.11:3000'],
    ['enable a b c', '“headgate enable” does not take “c”', 'For example: headgate enable shop 10.0.0.11:3000'],
    ['weight shop a 1001', '“1001” is not a weight', 'A weight is a whole number from 0 to 1000, or default'],
    ['status shop', '“headgate status” does not take “shop”', null],
    [
      'status --admin 127.0.0.1:4600',
      '“127.0.0.1:4600” is not the URL of an admin listener',
      'For example: --admin http://127.0.0.1:4600, or unix:/run/headgate/admin.sock',
    ],
    ['demo', 'Which demo service?', 'For example: headgate demo fine. There are fine, slow, flaky'],
    ['demo fast', '“fast” is not a demo service', 'For example: headgate demo fine. There are fine, slow, flaky'],
    [
      'demo fine slow',
      '“headgate demo” does not take “slow”',
      'For example: headgate demo fine. There are fine, slow, flaky',
    ],
  ])('headgate %s', (line, message, hint) => {
    expect(() => parse(line)).toThrow(expect.objectContaining({ name: 'UsageError', message, hint }));
  });

  test('is told on standard error in two lines', () => {
    expect(new UsageError('“strat” is not a command', 'Did you mean “headgate start”?').render()).toBe(
      'headgate: “strat” is not a command\n  Did you mean “headgate start”?\n',
    );
    expect(new UsageError('-c needs a value').render()).toBe(
      'headgate: -c needs a value\n  headgate --help shows what there is\n',
    );
  });
});

describe('help', () => {
  test('has its examples before anything else', () => {
    expect(mainHelp(COMMANDS).split('\n').slice(0, 3)).toEqual([
      'Headgate is a reverse proxy: HTTPS in front, your services behind it.',
      '',
      '  headgate /api=3000 /=5173                  two services on https://localhost:8443/, no file needed',
    ]);
  });

  test.each(COMMANDS)('names $name, fits a terminal, and shows only lines that are understood', (command) => {
    const text = commandHelp(command);
    expect(mainHelp(COMMANDS).includes(`  ${command.name} `)).toBe(command.group !== null);
    expect(command.summary.length).toBeLessThan(70);
    expect(text.endsWith('\n')).toBe(true);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
    const examples = [...text.matchAll(/^ {2}(?:HEADGATE_CONFIG=\S+ )?headgate (.+?)(?: {2,}.*)?$/gm)].map(
      ([, line]) => line ?? '',
    );
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      const argv = [...example.replace(/ (?:<|>>?) .*/, '').matchAll(/'([^']*)'|(\S+)/g)].map(
        ([, quoted, word]) => quoted ?? word ?? '',
      );
      const help = argv.includes('--help') ? 'help' : argv[0]?.replace('--', '');
      expect(parsed(argv)['command']).toBe(help);
    }
  });
});
