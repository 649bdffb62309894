import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { systemClock } from '../../../src/clock.ts';
import { FleetMetrics } from '../../../src/fleet/fleet-metrics.ts';
import { gaugeMergeOf, NOT_SUMMED } from '../../../src/fleet/merge-families.ts';
import type { FamilyReading } from '../../../src/observe/family.ts';
import { startTestGateway } from '../../kit/gateway.ts';
import { stopAfterFile } from '../../kit/stop.ts';

const DOCS = resolve(import.meta.dirname, '../../../docs');

/** Those of a gateway that has everything there is, by name. */
let families: ReadonlyMap<string, FamilyReading>;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-metric-names-'));
  stopAfterFile(() => rm(directory, { recursive: true }));
  const { gateway } = await startTestGateway({
    tracing: {},
    cache: { disk: { path: join(directory, 'cache'), size: '10M' } },
  });
  const ofWorkers = await new FleetMetrics([], systemClock).families();
  families = new Map([...(await gateway.metrics()), ...ofWorkers].map((family) => [family.name, family]));
  await gateway.close();
});

test('docs/metrics.md has every metric with its type, labels and meaning, and no other', async () => {
  const text = await readFile(join(DOCS, 'metrics.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]+) \| (.+) \|$/gm)].map(([, ...cells]) => cells);
  const real = [...families.values()].map(({ name, kind, labels, help }) => [
    ...[name, kind, labels.length === 0 ? '–' : labels.join(', '), help],
  ]);
  expect(rows.sort()).toEqual(real.sort());
});

test('every name has the prefix, the unit and the ending that its kind has', () => {
  const wrong = [...families.values()].filter(({ name, kind, labels }) => {
    if (!/^(headgate|process|nodejs)_[a-z0-9_]+$/.test(name)) return true;
    if ((kind === 'counter') !== name.endsWith('_total')) return true;
    if (kind === 'histogram' && !name.endsWith('_seconds')) return true;
    return labels.some((label) => ['le', 'quantile', 'job', 'instance'].includes(label));
  });
  expect(wrong).toEqual([]);
  // With its ending off, a counter of OpenMetrics must not be another one's name.
  const stems = [...families.keys()].map((name) => name.replace(/_total$/, ''));
  expect(new Set(stems).size).toBe(stems.length);
});

test('gauges of several workers that are not to be summed are real ones, and none that says yes or no is summed', () => {
  const gauges = [...families.values()].filter(({ kind }) => kind === 'gauge');
  const names = gauges.map(({ name }) => name);
  expect(Object.keys(NOT_SUMMED).filter((name) => !names.includes(name))).toEqual([]);
  const flags = gauges.filter(({ help }) => /^(?:1 |Whether )/.test(help)).map(({ name }) => name);
  expect(flags.filter((name) => gaugeMergeOf(name) === 'sum')).toEqual([]);
  expect(flags.length).toBeGreaterThan(10);
});

/** Labels that Prometheus adds. */
const OF_THE_SCRAPE = ['job', 'instance'];

/** A word, a text, `{`, `}`, `(`, `)`, `[5m]`, or an operator. Grafana's `$name` and `[$__rate_interval]` are words and ranges. */
const TOKEN = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\[[^\]]*\]|[a-zA-Z_$:][\w:$]*|\d[\w.]*|=~|!~|!=|[<>=]=?|\S/g;
const GROUPINGS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);

/** What is wrong with the names in a PromQL expression; and how many of our metrics it has. */
function problemsOf(expression: string): { readonly problems: readonly string[]; readonly metrics: number } {
  const tokens: readonly string[] = expression.match(TOKEN) ?? [];
  const problems: string[] = [];
  const known = new Set(OF_THE_SCRAPE);
  const grouped: string[] = [];
  let metrics = 0;
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i] as string;
    if (GROUPINGS.has(token)) {
      const end = tokens.indexOf(')', i);
      grouped.push(...tokens.slice(i + 2, end).filter((each) => each !== ','));
      i = end;
    } else if (/^(headgate|process|nodejs)_/.test(token)) {
      metrics += 1;
      const labels = labelsOf(token);
      if (labels === null) problems.push(`${token} does not exist`);
      for (const label of labels ?? []) known.add(label);
      for (const label of tokens[i + 1] === '{' ? matchedIn(tokens, i + 1) : []) {
        if (labels !== null && ![...labels, ...OF_THE_SCRAPE].includes(label))
          problems.push(`${token} has no ${label}`);
      }
    }
  }
  for (const label of grouped) if (!known.has(label)) problems.push(`Nothing has ${label}`);
  return { problems, metrics };
}

/** Of a series as Prometheus stores it: a histogram is three. */
function labelsOf(name: string): readonly string[] | null {
  const family = families.get(name);
  if (family !== undefined) return family.kind === 'histogram' ? null : family.labels;
  const [, stem = '', part] = /^(.+)_(bucket|sum|count)$/.exec(name) ?? [];
  const histogram = families.get(stem);
  if (histogram?.kind !== 'histogram') return null;
  return part === 'bucket' ? [...histogram.labels, 'le'] : histogram.labels;
}

function matchedIn(tokens: readonly string[], open: number): readonly string[] {
  const inside = tokens.slice(open + 1, tokens.indexOf('}', open));
  return inside.filter((_, i) => ['=', '=~', '!=', '!~'].includes(inside[i + 1] ?? ''));
}

test('the check of expressions finds wrong names and labels', () => {
  const found = [
    'rate(headgate_http_request_total[5m])',
    'headgate_http_overhead_seconds',
    'sum by (rout) (headgate_endpoint_up)',
    'headgate_endpoint_up{route="x"} == 0',
    'sum by (pool, le) (rate(headgate_pool_queue_wait_seconds_bucket{job="a"}[5m]))',
  ].map((expression) => problemsOf(expression).problems);
  expect(found).toEqual([
    ['headgate_http_request_total does not exist'],
    ['headgate_http_overhead_seconds does not exist'],
    ['Nothing has rout'],
    ['headgate_endpoint_up has no route'],
    [],
  ]);
});

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description?: string };
}

describe('docs/alerts.yaml', () => {
  let rules: readonly Rule[];
  beforeAll(async () => {
    const { groups } = parse(await readFile(join(DOCS, 'alerts.yaml'), 'utf8')) as { groups: { rules: Rule[] }[] };
    rules = groups.flatMap((group) => group.rules);
  });

  test('asks for metrics and labels that there are', () => {
    const checked = rules.map(({ alert, expr }) => ({ alert, ...problemsOf(expr) }));
    expect(checked.filter(({ problems }) => problems.length > 0)).toEqual([]);
    // `up` is Prometheus' own.
    expect(checked.filter(({ metrics }) => metrics === 0).map(({ alert }) => alert)).toEqual(['HeadgateDown']);
    expect(rules.length).toBeGreaterThan(20);
  });

  test('every alert has a name of its own, a severity, and a summary that names labels which the expression leaves', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, expr, for: time = '1m', labels, annotations } of rules) {
      expect(alert).toMatch(/^Headgate[A-Za-z]+$/);
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
      expect(time).toMatch(/^\d+[smh]$/);
      for (const [, label = ''] of annotations.summary.matchAll(/\$labels\.(\w+)/g)) {
        const names = expr.match(TOKEN) ?? [];
        const from = names.flatMap((name) => labelsOf(name) ?? []);
        expect(['instance', ...from], alert).toContain(label);
      }
    }
  });
});

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly title: string;
  readonly uid: string;
  readonly schemaVersion: number;
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
  readonly panels: readonly Panel[];
}

describe('docs/grafana-dashboard.json', () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = JSON.parse(await readFile(join(DOCS, 'grafana-dashboard.json'), 'utf8'));
  });

  test('asks for metrics and labels that there are', () => {
    const { panels, annotations, templating } = dashboard;
    const expressions = [
      ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
      ...annotations.list.map(({ expr }) => expr),
    ];
    const checked = expressions.map((expression) => ({ expression, ...problemsOf(expression) }));
    expect(checked.filter(({ problems, metrics }) => problems.length > 0 || metrics === 0)).toEqual([]);
    expect(expressions.length).toBeGreaterThan(40);
    const queries = templating.list.filter(({ type }) => type === 'query');
    for (const { definition = '' } of queries) {
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
      expect([...OF_THE_SCRAPE, ...(labelsOf(metric) ?? [])], definition).toContain(label);
    }
    expect(queries).toHaveLength(5);
  });

  test('legends name labels that the expression leaves', () => {
    for (const { title, targets = [] } of dashboard.panels) {
      for (const { expr, legendFormat } of targets) {
        const tokens: readonly string[] = expr.match(TOKEN) ?? [];
        const left = tokens.includes('by')
          ? tokens
          : [...OF_THE_SCRAPE, ...tokens.flatMap((name) => labelsOf(name) ?? [])];
        for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(left, title).toContain(label);
      }
    }
  });

  test('can be imported: rows of panels that do not overlap, each with the data source that is chosen', () => {
    const { panels, templating } = dashboard;
    expect(panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
      ...['Traffic', 'Latency and overhead', 'Upstream', 'Cache', 'Protection', 'Process'],
    ]);
    expect(templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource' });
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { type, datasource, gridPos, title } of panels) {
      if (type !== 'row') expect(datasource?.uid, title).toBe(`\${datasource}`);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x} ${y}`), title).toBe(false);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });
});
