import { describe, expect, test } from 'vitest';
import { type ExpansionSources, expand } from '../../../src/config/expand.ts';

const files: Record<string, string> = { '/run/secrets/key': 's3cret\n', '/two': 'a\n\n', '/windows': 'x\r\n' };
const sources: ExpansionSources = {
  environment: { HOST: 'api.test', EMPTY: '', TRICK: `\${HOST}`, _x1: 'y' },
  readFile: (path) => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' });
    return text;
  },
};

describe('a value is expanded', () => {
  test.each([
    ['plain text', 'plain text'],
    [`\${HOST}`, 'api.test'],
    [`http://\${HOST}:80/\${_x1}`, 'http://api.test:80/y'],
    [`\${EMPTY}`, ''],
    [`\${EMPTY:-full}`, 'full'],
    [`\${MISSING:-default}`, 'default'],
    [`\${MISSING:-}`, ''],
    [`\${MISSING:-http://a:1/b}`, 'http://a:1/b'],
    [`\${HOST:-default}`, 'api.test'],
    [`\${file:/run/secrets/key}`, 's3cret'],
    [`\${file:/two}`, 'a\n'],
    [`\${file:/windows}`, 'x'],
    [`$\${HOST}`, `\${HOST}`],
    ['^/v[0-9]+$', '^/v[0-9]+$'],
    ['/new/$1', '/new/$1'],
    ['cost $$5', 'cost $5'],
    [`$$\${HOST}`, '$api.test'],
    [`\${TRICK}`, `\${HOST}`],
  ])('%s → %s', (text, expected) => {
    expect(expand(text, sources)).toMatchObject({ text: expected });
  });
});

describe('what can’t be expanded says why', () => {
  test.each([
    [`\${MISSING}`, 'environment variable MISSING is not set', `set it, or give a default: \${MISSING:-…}`],
    [`a \${HOST`, `“\${HOST” has no closing brace`, `for a plain “\${” write “$\${”`],
    [`\${}`, `“\${}” is not an expression`, `write \${VAR}, \${VAR:-default} or \${file:/path}`],
    [`\${a-b}`, `“\${a-b}” is not an expression`, `write \${VAR}, \${VAR:-default} or \${file:/path}`],
    [`\${A:-\${B}}`, `“\${A:-\${B}}” has an expression inside its default`, 'a default is plain text'],
    [`\${file:/none}`, 'cannot read /none: no such file', null],
    [`\${file:}`, `“\${file:}” names no file`, `write \${file:/path}`],
  ])('%s', (text, message, suggestion) => {
    expect(expand(text, sources)).toEqual({ kind: 'failed', message, suggestion });
  });
});

test('only a value that is one variable and nothing else may become a number or a boolean', () => {
  expect(expand(`\${HOST}`, sources)).toMatchObject({ kind: 'expanded', whole: true });
  expect(expand(`\${HOST:-1}`, sources)).toMatchObject({ kind: 'expanded', whole: true });
  expect(expand(`\${HOST}\${HOST}`, sources)).toMatchObject({ kind: 'expanded', whole: false });
  expect(expand(`\${file:/two}`, sources)).toMatchObject({ kind: 'expanded', whole: false });
  expect(expand(`x$\${HOST}`, sources)).toMatchObject({ kind: 'literal' });
});
