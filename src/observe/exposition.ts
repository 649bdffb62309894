import type { ExpositionFormat } from './exposition-format.ts';
import type { Buckets, Exemplar, Family, Series } from './family.ts';

/**
 * Lines that are written at one go, give or take one series: 0.1 to 0.2 ms (bench/metrics.ts). In between, requests have their turn.
 */
export const SLICE_LINES = 1_000;

/**
 * Writes families as text, in pieces of about `SLICE_LINES` lines, and calls `pause` after each: a scrape of 5 000 routes and pools is 41 MB,
 * and would hold up everything else for 0.15 s. Every piece ends with a line.
 */
export async function writeText(
  families: Iterable<Family>,
  format: ExpositionFormat,
  pause: () => Promise<void>,
): Promise<string[]> {
  const pieces: string[] = [];
  const writer = format === 'openmetrics' ? openMetrics : prometheus;
  // Joined at the end of each slice: texts that are put together by `+` stay trees of a dozen nodes a line, hundreds of megabytes of them
  // for a large scrape, which the garbage collector goes through while everybody waits.
  const parts: string[] = [];
  let lines = 0;
  for (const family of families) {
    parts.push(writer.head(family));
    lines += 3;
    for (const series of family.read()) {
      lines += writeSeries(parts, family, series, writer);
      if (lines < SLICE_LINES) continue;
      pieces.push(parts.join(''));
      parts.length = 0;
      lines = 0;
      await pause();
    }
  }
  parts.push(writer.foot);
  pieces.push(parts.join(''));
  return pieces;
}

/** Returns how many lines that were. */
function writeSeries(parts: string[], family: Family, series: Series, writer: Writer): number {
  if (typeof series[1] === 'number') {
    parts.push(line(family.name, family.labels, series));
    return 1;
  }
  parts.push(histogram(family, series, writer));
  return series[1].counts.length + 2;
}

/** Where the two formats differ. */
interface Writer {
  head(family: Family): string;
  /** Upper end of a bucket. */
  bound(value: number): string;
  exemplar(exemplar: Exemplar | undefined): string;
  readonly foot: string;
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4. */
const prometheus: Writer = {
  head: ({ name, help, kind }) => `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n`,
  bound: (value) => String(value),
  exemplar: () => '',
  foot: '',
};

/** https://prometheus.io/docs/specs/om/open_metrics_spec/, version 1.0.0. */
const openMetrics: Writer = {
  head: ({ name, help, kind }) => {
    // The name of a counter's family is without what its samples end with.
    const family = kind === 'counter' ? name.replace(/_total$/, '') : name;
    const unit = /_(seconds|bytes)$/.exec(family)?.[1];
    const unitLine = unit === undefined ? '' : `# UNIT ${family} ${unit}\n`;
    return `# TYPE ${family} ${kind}\n${unitLine}# HELP ${family} ${escapeHelp(help).replaceAll('"', '\\"')}\n`;
  },
  bound: (value) => (Number.isInteger(value) ? `${value}.0` : String(value)),
  exemplar: (exemplar) =>
    exemplar === undefined
      ? ''
      : ` # {trace_id="${exemplar.traceId}"} ${exemplar.value} ${(exemplar.atEpoch / 1_000).toFixed(3)}`,
  foot: '# EOF\n',
};

function line(name: string, labels: readonly string[], [values, value]: Series): string {
  const pairs = pairsOf(labels, values);
  return `${name}${pairs === '' ? '' : `{${pairs}}`} ${numeral(value as number)}\n`;
}

/** All lines of one histogram together: they must agree. */
function histogram({ name, labels }: Family, [values, value]: Series, { bound, exemplar }: Writer): string {
  const { bounds, counts, sum, exemplars } = value as Buckets;
  const pairs = pairsOf(labels, values);
  const before = `${name}_bucket{${pairs}${pairs === '' ? '' : ','}le="`;
  let text = '';
  let count = 0;
  for (let i = 0; i < counts.length; i += 1) {
    count += counts[i] as number;
    const end = i < bounds.length ? bound(bounds[i] as number) : '+Inf';
    text += `${before}${end}"} ${count}${exemplars === undefined ? '' : exemplar(exemplars[i])}\n`;
  }
  const all = pairs === '' ? '' : `{${pairs}}`;
  return `${text}${name}_sum${all} ${numeral(sum)}\n${name}_count${all} ${count}\n`;
}

function pairsOf(labels: readonly string[], values: readonly string[]): string {
  let pairs = '';
  for (let i = 0; i < labels.length; i += 1) {
    pairs += `${i === 0 ? '' : ','}${labels[i]}="${escapeLabel(values[i] ?? '')}"`;
  }
  return pairs;
}

function numeral(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** Names of the configuration may be paths, of a Windows machine too. */
function escapeLabel(text: string): string {
  return /["\\\n]/.test(text) ? escapeHelp(text).replaceAll('"', '\\"') : text;
}
