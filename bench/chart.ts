import type { Results } from './results.ts';
import { type ScenarioName, scenarios } from './scenarios.ts';

/** Pixels. */
const WIDTH = 880;
const MARGIN = 24;
const GAP = 32;
const TOP = 76;
const TITLE = 26;
const ROW = 24;
const BAR = 14;
/** Of the names, and of the figure behind the longest bar. */
const NAMES = 132;
const FIGURE = 58;
const PANEL = (WIDTH - 2 * MARGIN - GAP) / 2;

interface Bar {
  readonly name: string;
  readonly value: number;
}

interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

/**
 * CPU time per request of every proxy, a panel for each scenario that was measured, as an SVG document that needs nothing else: no font,
 * no script; light or dark as the reader's system is. Each panel has a scale of its own.
 */
export function chartOf({ scenarios: tables, takenAt, machine }: Results): string {
  const panels = (Object.keys(scenarios) as ScenarioName[])
    .map((name): Panel => ({ title: scenarios[name].title, bars: tables[name].map(barOf).filter(isDrawable) }))
    .filter(({ bars }) => bars.length > 0);
  const drawn: string[] = [];
  let top = TOP;
  for (let i = 0; i < panels.length; i += 2) {
    const pair = panels.slice(i, i + 2);
    pair.forEach((panel, column) => {
      drawn.push(panelAt(MARGIN + column * (PANEL + GAP), top, panel));
    });
    top += TITLE + ROW * Math.max(...pair.map(({ bars }) => bars.length)) + GAP;
  }
  const under = `${takenAt.slice(0, 10)} · ${machine.processor} · Node ${machine.node.slice(1)}`;
  return document(top, [
    text(MARGIN, 36, 'CPU time per request, µs', 'head'),
    text(MARGIN, 56, `One worker each, user and system time; shorter is better · ${under}`, 'soft'),
    ...drawn,
  ]);
}

function barOf({ peer, cpuPerRequestUs }: { readonly peer: string; readonly cpuPerRequestUs: number }): Bar {
  return { name: peer, value: cpuPerRequestUs };
}

function isDrawable({ value }: Bar): boolean {
  return Number.isFinite(value) && value > 0;
}

function panelAt(x: number, y: number, { title, bars }: Panel): string {
  const longest = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ name, value }, index) => {
    const line = y + TITLE + index * ROW;
    const width = (value / longest) * (PANEL - NAMES - FIGURE);
    const left = x + NAMES;
    const middle = line + BAR / 2 + 4;
    const kind = name === 'headgate' ? 'own' : 'peer';
    return [
      text(left - 8, middle, name, `name ${kind}`),
      `<rect class="${kind}" x="${round(left)}" y="${line}" width="${round(width)}" height="${BAR}" rx="2"/>`,
      text(left + width + 6, middle, value >= 100 ? value.toFixed(0) : value.toFixed(1), `figure ${kind}`),
    ].join('\n');
  });
  return [text(x, y + 8, title, 'title'), ...rows].join('\n');
}

function text(x: number, y: number, content: string, kind: string): string {
  return `<text class="${kind}" x="${round(x)}" y="${round(y)}">${escapeText(content)}</text>`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeText(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Colours have a contrast of at least 4.5 with their background, those of bars 3 (WCAG 2.2 §1.4.3, §1.4.11). */
const STYLE = `
  .card { fill: #ffffff; stroke: #d0d7de; }
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .head { font-size: 18px; font-weight: 600; }
  .title { font-size: 13px; font-weight: 600; }
  .soft { fill: #59636e; }
  .name { text-anchor: end; }
  text.own { font-weight: 600; }
  rect.own { fill: #0969da; }
  rect.peer { fill: #848d97; }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d; }
    text { fill: #f0f6fc; }
    .soft { fill: #9198a1; }
    rect.own { fill: #4493f8; }
    rect.peer { fill: #656c76; }
  }
`;

function document(height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
<title id="title">CPU time per request of Headgate and its peers</title>
<style>${STYLE}</style>
<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
${parts.join('\n')}
</svg>
`;
}
