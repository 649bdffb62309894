import type { RequestHead } from '../src/exchange/exchange.ts';
import { inspect } from '../src/policy/guards/inspect.ts';

// `node bench/guards.ts`: what guards cost the request of a browser and of a program, and what the worst head costs that this file knows: each of
// the pieces that a rule looks for, over and over, in the query and in a field. The aim: linear, and under 2 ms for 16 KiB.

const PIECES = [
  ...[
    "'",
    '"',
    "' or ",
    "' or (",
    "'--",
    "'-- ",
    "'#",
    "';",
    ';',
    '; ',
    `;${' '.repeat(32)}`,
    '|',
    '&&',
    '$(',
    '\n',
    '\r\n ',
  ],
  ...[
    '<',
    '<a ',
    '<a on',
    '<on',
    ' on',
    '<iframe ',
    '<script',
    'javascript:',
    " ='javascript: ",
    '../',
    '..\\',
    '..;/',
    '..',
    '....',
  ],
  ...[
    '{{',
    '${',
    '{{*',
    '*',
    '7*',
    'union ',
    'union select ',
    'union select a,',
    'union select (',
    '/*',
    '/*!',
    '*/',
    'sleep(',
    '() {',
  ],
  ...['information_schema', '-', '(', ')', '1', '%', '%25', '%2525', '%00', 'or ', "'a'or'"],
];
const SIZES = [16_384, 65_536];
const ROUNDS = 5;

const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';

function head(target: string, headers: readonly string[]): RequestHead {
  return { method: 'GET', target, authority: 'shop.test', scheme: 'https', version: '1.1', headers };
}

const usual = {
  browser: head('/search?q=red%20shoes&page=2&sort=price', [
    ...[
      'Host',
      'shop.test',
      'User-Agent',
      CHROME,
      'Accept',
      'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    ],
    ...['Accept-Language', 'en-US,en;q=0.5', 'Accept-Encoding', 'gzip, deflate, br', 'Referer', 'https://shop.test/'],
    ...['Cookie', 'session=abcdef0123456789; theme=dark'],
  ]),
  program: head('/api/users/17?page=2', ['Host', 'shop.test', 'User-Agent', 'curl/8.5.0', 'Accept', '*/*']),
};

/** CPU time of the quickest round, in microseconds a run: others may be at work on the machine. */
function least(runs: number, run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const begin = process.cpuUsage();
    for (let i = 0; i < runs; i += 1) run();
    const { user, system } = process.cpuUsage(begin);
    best = Math.min(best, (user + system) / runs);
  }
  return best;
}

for (const [name, request] of Object.entries(usual)) {
  console.log(`${name}: ${least(50_000, () => void inspect(request)).toFixed(1)} µs`);
}
for (const size of SIZES) {
  const rows = PIECES.flatMap((piece) => {
    const escaped = encodeURIComponent(piece);
    const twice = encodeURIComponent(escaped);
    const requests = {
      query: head(`/?q=${escaped.repeat(size / escaped.length)}`, []),
      'query, escaped twice': head(`/?q=${twice.repeat(size / twice.length)}`, []),
      field: head('/', ['X-Tag', piece.repeat(size / piece.length)]),
    };
    return Object.entries(requests).map(([place, request]) => ({
      name: `${JSON.stringify(piece)} in the ${place}`,
      us: least(5, () => void inspect(request)),
    }));
  });
  const [worst] = rows.sort((a, b) => b.us - a.us);
  if (worst !== undefined) console.log(`worst of ${size} bytes: ${(worst.us / 1_000).toFixed(2)} ms (${worst.name})`);
}
