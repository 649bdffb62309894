import type { CachedUrl } from '../control/cache-listing.ts';
import type { CacheSummary } from '../control/cache-summary.ts';
import { type AdminAccess, askAdmin } from './admin-client.ts';
import { answered, type Outputs, plain } from './admin-outcome.ts';
import type { CacheOptions } from './commands/cache.ts';
import type { PurgeOptions } from './commands/purge.ts';
import type { ExitCode } from './exit-codes.ts';
import { table } from './table.ts';

/** `headgate purge`: purges what a running gateway has stored. */
export function orderPurge({ order, json }: PurgeOptions, access: AdminAccess, outputs: Outputs): Promise<ExitCode> {
  const asked = { method: 'POST', path: '/cache/purge', body: order } as const;
  return answered(() => askAdmin(access, asked), { ...outputs, json, text: (body) => purgedText(body as Purged) });
}

/** `headgate cache`: tells of what a running gateway has stored, in all or for a URL. */
export function showCache({ url, json }: CacheOptions, access: AdminAccess, outputs: Outputs): Promise<ExitCode> {
  const path = url === null ? '/cache' : `/cache/entries?url=${encodeURIComponent(url)}`;
  return answered(() => askAdmin(access, { method: 'GET', path, body: null }), {
    ...outputs,
    json,
    text: (body) => (url === null ? summaryText(body as CacheSummary) : urlText(url, body as CachedUrl)),
  });
}

interface Purged {
  readonly mode: 'soft' | 'hard';
  readonly purged: number;
}

function purgedText({ mode, purged }: Purged): string {
  const what = purged === 1 ? '1 stored response' : `${purged} stored responses`;
  return mode === 'hard' ? `${what} dropped\n` : `${what} marked stale\n`;
}

/** A line for the store and a table of routes. Ends with a line end. */
export function summaryText({ bytes, entries, evictions, refreshing, routes }: CacheSummary): string {
  const head = `${entries} stored, ${size(bytes)}, ${evictions} evicted, ${refreshing} being refreshed\n`;
  if (routes.length === 0) return head;
  const rows = routes.map((of) => [
    of.route,
    `${of.requests}`,
    of.hitRatio === null ? '' : `${(of.hitRatio * 100).toFixed(1)} %`,
    size(of.bytesFromStore),
    size(of.bytesFromUpstream),
    `${of.stored}`,
    reasons(of.notStored),
    reasons(of.bypassed),
  ]);
  const columns = ['ROUTE', 'REQUESTS', 'HITS', 'FROM STORE', 'FROM UPSTREAM', 'STORED', 'NOT STORED', 'BYPASS'];
  return `${head}\n${table(columns, rows)}`;
}

/** Most frequent first. */
function reasons(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');
}

function urlText(url: string, { variants }: CachedUrl): string {
  if (variants.length === 0) return `Nothing is stored for ${plain(url)}\n`;
  return variants
    .map((variant) => {
      const { status, route, ageSeconds, freshSeconds, bytes, tags, vary, headers } = variant;
      const fresh = freshSeconds > 0 ? `fresh for ${freshSeconds} s` : `stale for ${-freshSeconds} s`;
      const selected = Object.entries(vary).map(([name, value]) => `  for ${name}: ${value ?? '(absent)'}`);
      const tagged = tags.length === 0 ? [] : [`  tags: ${tags.join(' ')}`];
      const fields = headers.map(([name, value]) => `  ${name}: ${value}`);
      const head = `${variant.url}  ${status}, ${ageSeconds} s old, ${fresh}, ${size(bytes)}, route ${route}`;
      return [head, ...selected, ...tagged, ...fields].map((line) => `${plain(line)}\n`).join('');
    })
    .join('\n');
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

function size(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`;
}
