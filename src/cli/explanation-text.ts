import { formatDuration } from '../config/near-values.ts';
import type {
  ExplainedCache,
  ExplainedEndpoint,
  ExplainedPool,
  ExplainedUpstream,
  Explanation,
  NearMiss,
  Outcome,
} from '../control/explain/explanation.ts';
import { plain } from './admin-outcome.ts';

/** An explanation for people. `whole`: with all that led to it; else what becomes of the request alone. */
export function explanationText(explanation: Explanation, whole: boolean): string {
  const { outcome, notes } = explanation;
  const blocks = [
    routeLines(explanation, whole),
    section('outcome', [outcomeText(outcome, explanation)]),
    ...(whole ? details(explanation) : []),
    section('note', notes),
  ];
  // Fields and paths may hold whatever a client can send.
  return blocks
    .flat()
    .map((line) => `${plain(line)}\n`)
    .join('');
}

function details({ outcome, policies, settings, upstream, cache, pool }: Explanation): string[][] {
  return [
    section('headers', outcome.kind === 'reply' || outcome.kind === 'refuse' ? outcome.headers.map(fieldText) : []),
    section('policies', columns(policies.map(({ policy, words, at }) => [policy, words, at ?? '']))),
    section('upstream', upstream === null ? [] : upstreamLines(upstream)),
    section('cache', cache === null ? [] : cacheLines(cache)),
    section('pool', pool === null ? [] : poolLines(pool)),
    section('settings', columns(settings.map(({ key, value, origin }) => [key, value, origin]))),
  ];
}

/** The near misses above the winner that they would have beaten, or missed being. */
function routeLines({ route, alsoMatch, nearMisses }: Explanation, whole: boolean): string[] {
  const missed = nearMisses.map((miss) => ['✗', miss.name, miss.match, miss.at, missText(miss)]);
  const next = alsoMatch[0]?.name;
  const won = route === null ? [] : [['✓', route.name, route.match, route.at, wonText(route.by, next)]];
  const outranked = alsoMatch.map(({ name, match, at, by }) => [
    '·',
    name,
    match,
    at,
    `matches too, but goes later: ${by}`,
  ]);
  const rows = whole ? [...missed, ...won, ...outranked] : won;
  return columns(rows).map((line) => `  ${line}`);
}

function wonText(by: string | null, next: string | undefined): string {
  return by === null || next === undefined ? '' : `goes before ${next}: ${by}`;
}

function missText({ misses }: NearMiss): string {
  return misses.map(({ subject, actual, wanted }) => `${subject} is ${actual}, wants ${wanted}`).join('; ');
}

function outcomeText(outcome: Outcome, { pool, request }: Explanation): string {
  switch (outcome.kind) {
    case 'forward':
      return `forward to ${poolText(pool)}`;
    case 'tunnel':
      return `tunnel ${outcome.protocol} to ${poolText(pool)}`;
    case 'serve':
      return `answer ${outcome.status} from the cache, ${freshText(outcome)}`;
    case 'purge':
      return `purge what is stored for this URL (${outcome.mode})`;
    case 'reply':
      return `${outcome.status} ${outcome.reason}${byPolicy(outcome.policy)}${outcome.location === null ? '' : ` → ${outcome.location}`}${byListener(outcome.by, request.listener)}`;
    case 'refuse':
      return `${outcome.status} ${outcome.reason}${outcome.policy === null ? REFUSED[outcome.by] : byPolicy(outcome.policy)}`;
    case 'passthrough':
      return `${request.serverName ?? request.host} is passed through, undecrypted → pool ${outcome.pool}`;
    case 'closed':
      return CLOSED[outcome.reason]?.(request.listener) ?? outcome.reason;
  }
}

function byPolicy(policy: string | null): string {
  return policy === null ? '' : `: by the policy ${policy}`;
}

function byListener(by: 'listener' | 'route', listener: string | null): string {
  return by === 'route' ? '' : `, by listener ${listener}, before routing`;
}

const CLOSED: Readonly<Record<string, (listener: string | null) => string>> = {
  'no-listener': () => 'no listener takes requests',
  'unknown-listener': (listener) => `there is no listener “${listener}”`,
  'nothing-forwards-it': (listener) => `listener ${listener} closes the connection: nothing says where it goes`,
};

const REFUSED = {
  listener: ': refused by the listener',
  admission: ': refused before routing',
  routing: ': no route takes this request',
  route: ': refused on this route',
  cache: ': refused by the cache',
  bug: ': a bug in Headgate; please report it',
} as const;

function poolText(pool: ExplainedPool | null): string {
  if (pool === null) return 'no pool';
  if (pool.by !== 'weight') return `pool ${pool.name}`;
  const sum = pool.branches.reduce((total, { weight }) => total + weight, 0);
  const shares = pool.branches.filter(({ weight }) => weight > 0);
  return shares.map((branch) => `pool ${branch.pool} (${Math.round((100 * branch.weight) / sum)}%)`).join(' or ');
}

function freshText({ ttlMs, refresh }: { readonly ttlMs: number; readonly refresh: boolean }): string {
  const time = formatDuration(Math.abs(Math.round(ttlMs / 1000)) * 1000);
  if (ttlMs > 0) return `fresh for ${time}`;
  return `stale for ${time}${refresh ? ', and refreshed afterwards' : ''}`;
}

function upstreamLines({ method, target, host, headers, removed }: ExplainedUpstream): string[] {
  const written = headers.filter(({ by }) => by !== 'client');
  return [
    `${method} ${target}  Host: ${host ?? '(the endpoint’s)'}`,
    ...columns(written.map(({ name, value, by }) => [`+ ${name}: ${value}`, by])),
    ...removed.map((name) => `- ${name}`),
  ];
}

function fieldText({ name, value }: { readonly name: string; readonly value: string }): string {
  return `${name}: ${value}`;
}

function cacheLines({ lookup, why, key, partition, responses }: ExplainedCache): string[] {
  return [
    why === null ? lookup : `${lookup}: ${why}`,
    ...columns([
      ...(key === null ? [] : [['key', key]]),
      ...partition.map(({ by, value }) => ['shared within', `${by} ${value.replaceAll('\n', ' ')}`]),
      ...responses.map(({ response, stored, freshMs, why: refused }) => [
        `a ${response}`,
        stored
          ? `stored, ${freshMs === 0 ? 'validated at each use' : `fresh for ${formatDuration(freshMs ?? 0)}`}`
          : `not stored: ${refused}`,
      ]),
    ]),
  ];
}

function poolLines({ name, balance, breaker, chosen, endpoints, absence }: ExplainedPool): string[] {
  const rows = endpoints.map((endpoint) => [
    endpoint.origin,
    stateText(endpoint),
    chosen?.endpoint === endpoint.origin ? `← ${CHOSEN[chosen.by]}` : '',
  ]);
  return [
    `${name}, ${balance}${breaker === null ? '' : `, breaker ${breaker}`}`,
    ...columns(rows),
    ...(absence === null ? [] : [`no endpoint: ${absence}`]),
  ];
}

const CHOSEN = { session: 'its session', hash: 'its key', only: 'the only one' } as const;

function stateText({
  health,
  available,
  standing,
  ejected,
  tripped,
  inFlight,
  weight,
  priority,
}: ExplainedEndpoint): string {
  const parts = [
    ...(health === 'unknown' ? ['not running'] : [health]),
    ...(standing === 'enabled' ? [] : [standing]),
    ...(ejected ? ['ejected'] : []),
    ...(tripped ? ['tripped'] : []),
    ...(available === false ? ['takes nothing new'] : []),
    ...(inFlight === null ? [] : [`${inFlight} in flight`]),
    ...(weight === 1 ? [] : [`weight ${weight}`]),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
  ];
  return parts.join(', ');
}

const MARGIN = 12;

/** A heading in the margin of the first line. */
function section(heading: string, lines: readonly string[]): string[] {
  return lines.map((line, i) => `  ${(i === 0 ? heading : '').padEnd(MARGIN - 2)}${line}`);
}

/** Lines of cells in columns, without blanks at their ends. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
