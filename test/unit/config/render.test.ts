import { describe, expect, test } from 'vitest';
import { diagnosticAt } from '../../../src/config/config-error.ts';
import { renderDiagnostics, renderDiagnosticsJson, wantsColour } from '../../../src/config/render.ts';
import { configFromYaml } from './yaml-text.ts';

/** Renders what is wrong with `text`, as if it were routes/shop.yaml. */
function render(text: string, colour = false): string {
  const result = configFromYaml(text);
  const wrong = result.ok ? [] : result.diagnostics;
  const named = wrong.map((diagnostic) => ({
    ...diagnostic,
    file: 'routes/shop.yaml',
    notes: diagnostic.notes.map((note) => ({ ...note, file: 'routes/shop.yaml' })),
  }));
  const files = new Map([['routes/shop.yaml', text]]);
  return renderDiagnostics(named, { files, colour, closing: 'The running configuration was not touched.' });
}

test('a configuration error looks as documented', () => {
  const text = `# The shop

pools:
  users:
    endpoints:
      - 10.0.0.11:3000
      - 10.0.0.12:3000
routes:
  - match: { path: /api/users/** }
    polo: users
  - match: { path: /api/carts/** }
    pool: usres
`;
  expect(render(text)).toBe(`error[HG0102]: unknown key “polo”
  ╭─▸ routes/shop.yaml:10:5
 9 │   - match: { path: /api/users/** }
10 │     polo: users
   │     ^^^^ did you mean “pool”?
error[HG0103]: pool “usres” does not exist
  ╭─▸ routes/shop.yaml:12:11
11 │   - match: { path: /api/carts/** }
12 │     pool: usres
   │           ^^^^^ did you mean “users”?
2 errors. The running configuration was not touched.
`);
});

test('what is defined twice shows both places', () => {
  const text = 'pools:\n  a: { endpoints: ["h:1"] }\n\n\n\n\n\n\n\n  a: { endpoints: ["h:1"] }\n';
  expect(render(text)).toBe(`error[HG0104]: key “a” is given twice
  ╭─▸ routes/shop.yaml:10:3
10 │   a: { endpoints: ["h:1"] }
   │   ^
  ├─▸ routes/shop.yaml:2:3
 2 │   a: { endpoints: ["h:1"] }
   │   - first here
1 error. The running configuration was not touched.
`);
});

test('a file that can’t be read has neither line nor caret', () => {
  const place = { file: 'routes', line: 1, column: 1, length: 0 };
  const diagnostic = diagnosticAt(place, { code: 'HG0101', message: 'routes holds no *.yaml file' });
  expect(renderDiagnostics([diagnostic], { files: new Map(), colour: false })).toBe(
    'error[HG0101]: routes holds no *.yaml file\n ╭─▸ routes\n1 error.\n',
  );
});

test('a place without its text still shows the suggestion', () => {
  const place = { file: 'gone.yaml', line: 3, column: 2, length: 4 };
  const diagnostic = diagnosticAt(place, { message: 'unknown key “polo”', suggestion: 'did you mean “pool”?' });
  expect(renderDiagnostics([diagnostic], { files: new Map(), colour: false })).toBe(
    'error[HG0102]: unknown key “polo”\n ╭─▸ gone.yaml:3:2\n  │ did you mean “pool”?\n1 error.\n',
  );
});

test('a long line is cut around its mistake', () => {
  const text = `admin: { ${' '.repeat(300)}prot: 1 }\n`;
  const lines = render(text).split('\n');
  expect(lines[2]).toBe(`1 │ ${' '.repeat(40)}prot: 1 }`);
  expect(lines[3]).toBe(`  │ ${' '.repeat(40)}^^^^ did you mean “port”?`);
});

test('control characters never reach the terminal, and carets stay below what they mean', () => {
  const text = 'admin: { prot: 1, "\u001b[31m\u202e": 2 }\n';
  const output = render(text);
  expect(output).not.toMatch(/[\u001b\u202e]/);
  expect(output).toContain('1 │ admin: { prot: 1, "�[31m�": 2 }\n  │          ^^^^ did you mean “port”?');
});

test('colour is only added around the text', () => {
  const text = 'admin: { prot: 1 }\n';
  const coloured = render(text, true);
  expect(coloured).toContain('\u001b[31m\u001b[1merror[HG0102]\u001b[0m');
  expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(render(text));
});

describe('colour', () => {
  test.each([
    ['on a terminal', { isTTY: true }, {}, true],
    ['off a terminal', {}, {}, false],
    ['with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, false],
    ['with NO_COLOR empty', { isTTY: true }, { NO_COLOR: '' }, true],
    ['on a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, false],
  ])('%s', (_, stream, environment, expected) => {
    expect(wantsColour(stream, environment)).toBe(expected);
  });
});

test('programs get one JSON object on one line', () => {
  const diagnostic = diagnosticAt({ file: 'a.yaml', line: 1, column: 2, length: 3 }, { message: 'unknown key “x”' });
  const text = renderDiagnosticsJson([diagnostic]);
  expect(text.endsWith('\n')).toBe(true);
  expect(JSON.parse(text)).toEqual({
    ok: false,
    errors: [
      {
        code: 'HG0102',
        file: 'a.yaml',
        line: 1,
        column: 2,
        length: 3,
        message: 'unknown key “x”',
        suggestion: null,
        notes: [],
      },
    ],
  });
});

test('a secret on a line that is shown, or on the one before, is not shown; carets stay where they were', () => {
  const text = `routes:
  - pool: shop
    auth:
      oidc:
        clientSecret: "hidden, too"
        issuer: { a: 1, sessionSecret: hidden, forwardToken: access }
        sesionSecret: 'hidden'
        clientId: \${NAME}
`;
  const shown = render(text);
  expect(shown).not.toContain('hidden');
  expect(shown).toContain('5 │         clientSecret: *************');
  expect(shown).toContain('sessionSecret: ******, forwardToken: access }');
});
