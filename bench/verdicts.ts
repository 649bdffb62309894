import { errorsOf } from './crowd.ts';
import type { IdleKind } from './idle.ts';
import { markdownTable } from './report.ts';
import type { Results } from './results.ts';
import type { ScenarioName } from './scenarios.ts';

/** What this project has set itself to reach, and whether one run has. */
export interface Verdict {
  readonly target: string;
  readonly most?: number;
  readonly least?: number;
  /** `null` where the run does not say. */
  readonly measured: number | null;
  readonly met: boolean | null;
}

interface Target {
  readonly target: string;
  readonly most?: number;
  readonly least?: number;
  readonly measure: (results: Results) => number | null;
}

const targets: readonly Target[] = [
  { target: 'proxied 1 KiB: CPU ÷ nginx', most: 1.9, measure: cpuBeside('proxied', 'nginx') },
  { target: 'proxied 1 KiB: CPU ÷ Caddy', most: 0.36, measure: cpuBeside('proxied', 'caddy') },
  { target: 'proxied 1 KiB over TLS: CPU ÷ nginx', most: 1.8, measure: cpuBeside('https', 'nginx') },
  { target: 'proxied 1 KiB over HTTP/2: CPU ÷ Caddy', most: 0.45, measure: cpuBeside('http2', 'caddy') },
  { target: 'proxied 100 KiB: CPU ÷ nginx', most: 1.3, measure: cpuBeside('large', 'nginx') },
  { target: 'cache hit: CPU ÷ nginx', most: 1.15, measure: cpuBeside('cached', 'nginx') },
  { target: 'cache hit: CPU ÷ Varnish', most: 0.55, measure: cpuBeside('cached', 'varnish') },
  { target: 'p99 at half load ÷ nginx', most: 2, measure: tailBesideNginx },
  { target: 'KiB of an idle connection', most: 12, measure: idleKibibytes('plain') },
  { target: 'KiB of an idle TLS connection', most: 30, measure: idleKibibytes('tls') },
  { target: 'two workers: requests/s ÷ one', least: 1.8, measure: secondWorker },
  { target: '10 000 connections, 10 % active: errors', most: 0, measure: crowdErrors },
];

/** Of all targets, in their order. */
export function verdictsOn(results: Results): Verdict[] {
  return targets.map(({ measure, ...target }) => {
    const measured = measure(results);
    return { ...target, measured, met: measured === null ? null : isWithin(measured, target) };
  });
}

function isWithin(measured: number, { most, least }: Pick<Target, 'most' | 'least'>): boolean {
  return (most === undefined || measured <= most) && (least === undefined || measured >= least);
}

function cpuBeside(scenario: ScenarioName, peer: string) {
  return ({ scenarios }: Results): number | null =>
    ratio(scenarios[scenario], peer, ({ cpuPerRequestUs }) => cpuPerRequestUs);
}

/** Not where the load generator itself was late: then it is the machine that was measured. */
function tailBesideNginx({ half }: Results): number | null {
  const sound = half.filter(({ p99Ms, ownP99Ms, ownWait }) => ownP99Ms <= p99Ms / 2 && ownWait <= 0.5);
  return ratio(sound, 'nginx', ({ p99Ms }) => p99Ms);
}

function idleKibibytes(wanted: IdleKind) {
  return ({ idle }: Results): number | null =>
    idle.find(({ peer, kind }) => peer === 'headgate' && kind === wanted)?.kibibytesEach ?? null;
}

function secondWorker({ workers }: Results): number | null {
  const [one, two] = workers;
  if (one === undefined || two === undefined || !one.coresAllow) return null;
  return two.requestsPerSecond / one.requestsPerSecond;
}

function crowdErrors({ crowd }: Results): number | null {
  const row = crowd.find(({ peer }) => peer === 'headgate');
  return row === undefined ? null : errorsOf(row);
}

/** Headgate's divided by the peer's; `null` when one of them was not measured. */
function ratio<T extends { readonly peer: string }>(
  rows: readonly T[],
  name: string,
  of: (row: T) => number,
): number | null {
  const [ours, theirs] = ['headgate', name].map((wanted) => rows.find(({ peer }) => peer === wanted));
  if (ours === undefined || theirs === undefined) return null;
  const value = of(ours) / of(theirs);
  return Number.isFinite(value) ? value : null;
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map(({ target, most, least, measured, met }) => [
    ...[target, most === undefined ? `at least ${least}` : `at most ${most}`],
    ...[measured === null ? '–' : figure(measured), met === null ? 'not measured' : met ? 'met' : 'not met'],
  ]);
  return markdownTable(['target', 'wanted', 'measured', ''], lines);
}

function figure(value: number): string {
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
