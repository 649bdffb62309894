import type { ListenerRules, RoutePlan, Snapshot, StreamRules } from '../engine/snapshot.ts';
import { canonicalizeTarget, hostOf } from '../http/target.ts';
import type { RouteRequest } from '../routing/route.ts';
import { type TraceLine, trace } from '../routing/trace.ts';
import { leadsTo } from './routes.ts';

export interface RouteQuestion {
  readonly method: string;
  readonly url: URL;
  readonly headers: readonly string[];
  readonly explain: boolean;
  readonly json: boolean;
}

/** What `headgate route` found: text for standard output, and whether some route takes the request. */
export interface RouteAnswer {
  readonly text: string;
  readonly found: boolean;
}

/** `headgate route GET URL`: the live matcher, asked about one request. */
export function askRoute(snapshot: Snapshot, question: RouteQuestion): RouteAnswer {
  const listener = listenerFor(snapshot, question.url);
  if (listener === null) return { text: 'No listener takes requests\n', found: false };
  const [name, rules] = listener;
  const passed = passedThrough(snapshot.streams.get(name), question);
  if (passed !== null) return passed;
  const target = canonicalizeTarget(question.url.pathname + question.url.search, rules.pathPolicy);
  if (!target.ok) return { text: `400: the path is refused (${target.reason})\n`, found: false };
  const lines = trace(rules.table, requestOf(question, target));
  const winner = lines.find((line) => line.outcome === 'won') ?? null;
  return {
    text: question.json ? asJson(name, lines) : asText(lines, winner, question.explain),
    found: winner !== null,
  };
}

/** A listener of the URL's scheme that has routes of its own; TLS is told by who is redirected to. */
function listenerFor(snapshot: Snapshot, url: URL): [string, ListenerRules] | null {
  const serving = [...snapshot.listeners].filter(([, rules]) => rules.redirect === null);
  return serving.find(([name]) => `${name}:` === url.protocol) ?? serving[0] ?? null;
}

/** A server name that the listener never decrypts the connections of: no route will see a request. */
function passedThrough(rules: StreamRules | undefined, { url, json }: RouteQuestion): RouteAnswer | null {
  if (rules === undefined || url.protocol !== 'https:') return null;
  const pool = rules.names.find(hostOf(url.host));
  if (pool === null) return null;
  if (json) return { text: `${JSON.stringify({ passthrough: url.hostname, pool: pool.name })}\n`, found: true };
  return { text: `${url.hostname} is passed through, undecrypted → pool ${pool.name}\n`, found: true };
}

function requestOf(
  question: RouteQuestion,
  target: { readonly path: string; readonly query: string | null },
): RouteRequest {
  const { url } = question;
  const secure = url.protocol === 'https:';
  return {
    method: question.method,
    host: hostOf(url.host),
    path: target.path,
    query: target.query,
    headers: ['Host', url.host, ...question.headers],
    clientAddress: '127.0.0.1',
    serverName: secure ? url.hostname : null,
    clientCertificate: null,
    tls: secure,
  };
}

function asText(lines: readonly TraceLine<RoutePlan>[], winner: TraceLine<RoutePlan> | null, explain: boolean): string {
  const shown = explain ? lines : lines.filter((line) => line === winner);
  const width = Math.max(0, ...shown.map((line) => line.rule.name.length));
  const text = shown
    .map((line) => `  ${MARKS[line.outcome]} ${line.rule.name.padEnd(width)}  ${line.rule.at}  ${why(line)}\n`)
    .join('');
  return winner === null ? `${text}404: no route takes this request\n` : text;
}

const MARKS = { won: '✓', outranked: '·', missed: '✗' } as const;

function why(line: TraceLine<RoutePlan>): string {
  if (line.outcome === 'won') return `→ ${leadsTo(line.rule.plan)}${line.by === null ? '' : `  (${line.by})`}`;
  if (line.outcome === 'outranked') return `also matches, but the winner goes first: ${line.by}`;
  return line.misses.map((miss) => `${miss.subject} is ${miss.actual}, wants ${miss.wanted}`).join('; ');
}

function asJson(listener: string, lines: readonly TraceLine<RoutePlan>[]): string {
  const rows = lines.map(({ rule, outcome, by, misses }) => ({
    route: rule.name,
    at: rule.at,
    outcome,
    by,
    misses,
    leads: leadsTo(rule.plan),
  }));
  return `${JSON.stringify({ listener, routes: rows })}\n`;
}
