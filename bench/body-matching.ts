import type { BodyMatch } from '../src/routing/body/body-match.ts';
import { RequestMessage } from '../src/routing/body/request-message.ts';
import type { RouteMatch, RouteRequest, ValueTest } from '../src/routing/route.ts';
import { RouteTable } from '../src/routing/route-table.ts';

// `node bench/body-matching.ts`: CPU time of one match, by what the body is and how large. Reading and forwarding it are not in it. The
// aims: nothing for a request that no condition on a body decides, and less than a millisecond for 64 KiB.

const ROUNDS = 5;
const ROUND_MS = 200;

const exact = (value: string): ValueTest => ({ kind: 'exact', value });

function tableOf(...matches: readonly RouteMatch[]): RouteTable<number> {
  return RouteTable.of(
    matches.map((match, order) => ({
      ...{ name: `r${order}`, at: `bench.yaml:${order + 1}`, listeners: null, match, priority: 0, order, plan: order },
    })),
  );
}

function requestOf(path: string, body: RequestMessage | null): RouteRequest {
  return {
    ...{ method: 'POST', host: 'a.test', path, query: null, clientAddress: '192.0.2.7', serverName: null, tls: false },
    headers: [],
    clientCertificate: null,
    body,
  };
}

function saying(body: Omit<BodyMatch, 'whenTooLarge' | 'whenMalformed'>): RouteMatch {
  return {
    path: { kind: 'prefix', value: '/orders' },
    body: { ...body, whenTooLarge: 'no-match', whenMalformed: 'no-match' },
  };
}

const items = (bytes: number): string =>
  `[${'{"sku":"A-1","count":12,"gift":false},'.repeat(bytes / 38).slice(0, -1)}]`;
const json = (bytes: number): string => `{"items":${items(bytes)},"action":"buy","id":12345678901234567890}`;
const xml = (bytes: number): string =>
  `<?xml version="1.0"?><order xmlns="urn:o">${'<item sku="A-1"/>'.repeat(bytes / 18)}</order>`;
const soap = (bytes: number): string =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>${'<t a="b">x</t>'.repeat(bytes / 14)}</s:Header><s:Body><Buy/></s:Body></s:Envelope>`;
const graphql = (bytes: number): string =>
  JSON.stringify({ query: `mutation Buy { buy(sku: "A-1") { ${'id name(lang: "en") '.repeat(bytes / 20)} } }` });
const form = (bytes: number): string => `${'field=some+value%20more&'.repeat(bytes / 24)}kind=vip`;

const subjects: readonly (readonly [name: string, match: RouteMatch, type: string, body: (bytes: number) => string])[] =
  [
    ['JSON, a text', saying({ json: { '/action': exact('buy') } }), 'application/json', json],
    ['JSON, a number', saying({ json: { '/id': exact('12345678901234567890') } }), 'application/json', json],
    ['form field', saying({ form: { kind: exact('vip') } }), 'application/x-www-form-urlencoded', form],
    [
      'GraphQL',
      saying({ graphql: { operation: ['mutation'], field: exact('buy'), batch: 'all' } }),
      'application/json',
      graphql,
    ],
    ['XML root', saying({ xml: { root: exact('order') } }), 'application/xml', xml],
    ['SOAP, behind a header', saying({ soap: { operation: exact('Buy') } }), 'text/xml', soap],
  ];

/** CPU microseconds of one call; the median of the rounds. */
function cost(call: () => void): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    let calls = 0;
    const before = process.cpuUsage();
    const end = performance.now() + ROUND_MS;
    while (performance.now() < end) {
      for (let i = 0; i < 10; i += 1) call();
      calls += 10;
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / calls;
  });
  return rounds.toSorted((a, b) => a - b)[ROUNDS >> 1] as number;
}

function told(name: string, us: number): void {
  console.log(`${name.padEnd(44)} ${us.toFixed(2).padStart(9)} µs`);
}

const plain = tableOf({ path: { kind: 'prefix', value: '/orders' }, method: ['PUT'] }, {});
const asking = tableOf(saying({ json: { '/action': exact('buy') } }), {});
const nothing = requestOf('/orders/7', null);
told(
  'no condition on bodies',
  cost(() => void plain.match(nothing)),
);
told(
  'one, and a request without a body',
  cost(() => void asking.match(nothing)),
);
const elsewhere = requestOf('/users/7', new RequestMessage(['Content-Type', 'application/json'], 100, 65_536));
told(
  'one on another path, and a body',
  cost(() => void asking.match(elsewhere)),
);

for (const [name, match, type, make] of subjects) {
  const table = tableOf(match, {});
  for (const bytes of [1_024, 65_000]) {
    const body = Buffer.from(make(bytes));
    const ask = (): number | undefined => {
      const message = new RequestMessage(['Content-Type', type], body.byteLength, 131_072);
      message.read({ bytes: body, isWhole: true });
      return table.match(requestOf('/orders/7', message))?.rule.plan;
    };
    if (ask() !== 0) throw new Error(`${name} does not match`);
    told(
      `${name}, ${body.byteLength} bytes`,
      cost(() => void ask()),
    );
  }
}
