/** How metrics are written: the text format of Prometheus, version 0.0.4, or OpenMetrics 1.0.0. */
export type ExpositionFormat = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** Versions that each is an answer to, when one is named. */
const VERSIONS: Readonly<Record<ExpositionFormat, readonly string[]>> = {
  prometheus: ['0.0.4'],
  openmetrics: ['1.0.0'],
};

/**
 * The format that `accept` (RFC 9110 §12.5.1; empty for none) prefers. Prometheus' own for a tie, for a wildcard, and where nothing
 * fits: whoever asks for something else is a person with a browser.
 */
export function formatFor(accept: string): ExpositionFormat {
  let best: ExpositionFormat = 'prometheus';
  let bestQ = 0;
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const format = formatOf(type, parameters);
    const q = qOf(parameters);
    if (format === null || q < bestQ || (q === bestQ && format === 'openmetrics')) continue;
    best = format;
    bestQ = q;
  }
  return best;
}

function formatOf(type: string, parameters: readonly string[]): ExpositionFormat | null {
  if (type === '*/*' || type === 'text/*') return 'prometheus';
  const format = type === 'text/plain' ? 'prometheus' : type === 'application/openmetrics-text' ? 'openmetrics' : null;
  if (format === null) return null;
  const version = parameterOf('version', parameters);
  return version === null || VERSIONS[format].includes(version) ? format : null;
}

/** What is malformed counts for nothing. */
function qOf(parameters: readonly string[]): number {
  const q = parameterOf('q', parameters);
  if (q === null) return 1;
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q) ? Number(q) : 0;
}

function parameterOf(name: string, parameters: readonly string[]): string | null {
  const found = parameters.find((parameter) => parameter.startsWith(`${name}=`));
  return found === undefined ? null : found.slice(name.length + 1).replace(/^"(.*)"$/, '$1');
}
