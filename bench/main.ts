/**
 * Headgate beside its peers, in one run: `npm run bench [-- --seconds 5] [--only headgate,caddy] [--scenario proxied] [--rounds 3] [--json FILE]`.
 * Each proxy runs one worker pinned to one core, a static nginx as the origin and the load generator share the other.
 * The figure that holds on a noisy machine is the ratio of CPU time per request.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureCollapse, printCollapse } from './collapse.ts';
import { measureOverload, printOverload } from './overload.ts';
import { measurePeers } from './peer-run.ts';
import { peers } from './peers.ts';
import { measurePolicies, printPolicies } from './policies.ts';
import { measureReload, printReload } from './reload.ts';
import { has } from './results.ts';
import { printResults } from './results-report.ts';
import { scenarios } from './scenarios.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    only: { type: 'string' },
    scenario: { type: 'string' },
    connections: { type: 'string', default: '64' },
    rate: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const chosenPeers =
  values.only === undefined ? peers : peers.filter((peer) => values.only?.split(',').includes(peer.name));
/** Those of a proxy that are no load of requests as fast as they are answered. */
const OTHERS = ['half', 'handshake', 'idle', 'crowd', 'workers', 'abuse'];
/** Those that have origins of their own. */
const APART = ['overload', 'collapse', 'reload', 'policies'];
const known = [...Object.keys(scenarios), ...OTHERS, ...APART];
const chosen = values.scenario === undefined ? known : values.scenario.split(',');
const besidePeers = chosen.some((name) => !APART.includes(name));

const unknown = chosen.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`No scenario is called ${unknown.join(', ')}. There are: ${known.join(', ')}\n`);
  process.exit(64);
}
const missing = [
  'taskset',
  ...(besidePeers ? ['wrk', 'h2load', 'nginx'] : []),
  ...(chosen.includes('policies') ? ['wrk', 'nginx'] : []),
  ...(chosen.includes('abuse') ? ['slowhttptest'] : []),
  ...(chosen.includes('half') ? ['chrt'] : []),
  ...chosenPeers.flatMap((peer) => peer.needs),
].filter((program) => !has(program));
if (missing.length > 0) {
  process.stderr.write(`Not installed: ${[...new Set(missing)].join(', ')}\n`);
  process.stderr.write('Debian: apt-get install wrk nghttp2-client nginx-light haproxy caddy varnish slowhttptest\n');
  process.exit(69);
}

const directory = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
if (besidePeers) {
  const rate = values.rate === undefined ? null : Number(values.rate);
  const rounds = Number(values.rounds);
  const options = { directory, seconds, connections: Number(values.connections), rate, rounds };
  const results = await measurePeers(chosenPeers, chosen, options);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  printResults(results);
}
if (chosen.includes('overload')) printOverload(await measureOverload(directory, 4 * seconds));
if (chosen.includes('collapse')) printCollapse(await measureCollapse(directory));
if (chosen.includes('reload')) printReload(await measureReload(directory, has));
if (chosen.includes('policies')) printPolicies(await measurePolicies(directory, seconds));
