import type { ValueForm } from './schema/units.ts';

const DURATION_UNITS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ms: 1,
    msec: 1,
    msecs: 1,
    milli: 1,
    millis: 1,
    millisecond: 1,
    milliseconds: 1,
    s: 1_000,
    sec: 1_000,
    secs: 1_000,
    second: 1_000,
    seconds: 1_000,
    m: 60_000,
    min: 60_000,
    mins: 60_000,
    minute: 60_000,
    minutes: 60_000,
    h: 3_600_000,
    hr: 3_600_000,
    hrs: 3_600_000,
    hour: 3_600_000,
    hours: 3_600_000,
    d: 86_400_000,
    day: 86_400_000,
    days: 86_400_000,
    w: 604_800_000,
    week: 604_800_000,
    weeks: 604_800_000,
  }),
);

/** `5s`, `90m`, `1500ms`: the shortest way to write a number of milliseconds. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0';
  if (ms % 86_400_000 === 0) return `${ms / 86_400_000}d`;
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  if (ms % 1_000 === 0) return `${ms / 1_000}s`;
  return `${ms}ms`;
}

/** `64k`, `10M`, `512`: the shortest way to write a number of bytes. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0';
  if (bytes % 1024 ** 3 === 0) return `${bytes / 1024 ** 3}G`;
  if (bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 2}M`;
  if (bytes % 1024 === 0) return `${bytes / 1024}k`;
  return String(bytes);
}

/** `50%`: the way to write a share. */
export function formatShare(share: number): string {
  return `${Number((share * 100).toFixed(3))}%`;
}

/** What `text` most likely was meant to be, in the form that is accepted; `null` when that can't be said. */
export function nearValue(kind: ValueForm['kind'], text: string): string | null {
  switch (kind) {
    case 'duration':
      return nearDuration(text);
    case 'size':
      return nearSize(text);
    case 'share':
      return nearShare(text);
    case 'path':
      return /^[\w.~{%-][^\s:]*$/.test(text) ? `/${text}` : null;
    case 'address':
      return nearAddress(text);
    case 'status-range':
      return nearStatusRange(text);
    case 'rate':
      return nearRate(text);
    default:
      return null;
  }
}

/** `5 sec` → `5s`, `1m30s` → `90s`, `5000` → `5s` (milliseconds, as most other tools have them), `5` → `5s`. */
function nearDuration(text: string): string | null {
  const compact = text.toLowerCase().replaceAll(/[\s_,]/g, '');
  if (/^\d{1,12}$/.test(compact)) {
    const count = Number(compact);
    return formatDuration(count >= 1_000 ? count : count * 1_000);
  }
  const parts = [...compact.matchAll(/(\d+(?:\.\d+)?)([a-z]+)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== compact) return null;
  let ms = 0;
  for (const [, count, unit] of parts) ms += Number(count) * (DURATION_UNITS.get(unit ?? '') ?? Number.NaN);
  return Number.isFinite(ms) ? formatDuration(Math.round(ms)) : null;
}

/** `10 MB` → `10M`, `64KiB` → `64k`, `2T` → `2048G`. */
function nearSize(text: string): string | null {
  const parts = /^(\d+(?:\.\d+)?)(?:([kmgt])?(?:i?b)?|bytes?)$/.exec(text.toLowerCase().replaceAll(/[\s_,]/g, ''));
  if (parts === null) return null;
  const [, count = '', unit] = parts;
  if (unit === undefined) return String(Math.floor(Number(count)));
  if (unit === 't') return `${Number(count) * 1024}G`;
  return `${count}${unit === 'k' ? 'k' : unit.toUpperCase()}`;
}

/** `50` → `50%`, `50 percent` → `50%`, `0,5` → `0.5`. */
function nearShare(text: string): string | null {
  const parts = /^(\d{1,3}(?:[.,]\d+)?)\s*(?:%|percent|pct)?$/i.exec(text);
  if (parts === null) return null;
  const number = (parts[1] as string).replace(',', '.');
  if (Number(number) > 100) return null;
  return Number(number) <= 1 && number === text.replace(',', '.') ? number : `${number}%`;
}

function nearAddress(text: string): string | null {
  if (/^:?\d{1,5}$/.test(text)) return `localhost:${text.replace(':', '')}`;
  const url = /^(?:(https?):\/\/([^/?#\s@]+))[/?#]\S*$/.exec(text);
  return url === null ? null : `${url[1]}://${url[2]}`;
}

/** `2xx` → `200-299`, `200..204` → `200-204`, `200 - 204` → `200-204`. */
function nearStatusRange(text: string): string | null {
  const family = /^([1-5])xx$/i.exec(text);
  if (family !== null) return `${family[1]}00-${family[1]}99`;
  const range = /^([1-5]\d\d)(?:\s*(?:-|–|\.\.+|to)\s*)([1-5]\d\d)$/.exec(text);
  return range === null ? null : `${range[1]}-${range[2]}`;
}

/** `100/sec` → `100/s`, `5 per minute` → `5/m`, `100r/s` → `100/s`, `100` → `100/s`, `20/500ms` has no better form. */
function nearRate(text: string): string | null {
  const compact = text.toLowerCase().replaceAll(/[\s_,]/g, '');
  const parts = /^(\d{1,9})(?:r|req|requests?)?(?:(?:\/|per|every|in)(\d{0,5})([a-z]+))?$/.exec(compact);
  if (parts === null || Number(parts[1]) === 0) return null;
  const [, count, times = '', unit = 's'] = parts;
  const ms = Number(times === '' ? 1 : times) * (DURATION_UNITS.get(unit) ?? Number.NaN);
  if (!Number.isFinite(ms) || ms < 1_000) return null;
  return `${Number(count)}/${formatDuration(ms).replace(/^1(?=\D)/, '')}`;
}
