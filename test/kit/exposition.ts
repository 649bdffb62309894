/** A sample line of metrics. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar: { readonly labels: Readonly<Record<string, string>>; readonly value: number } | null;
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string | null;
  readonly samples: readonly Sample[];
}

type Draft = { name: string; type: string; help: string; unit: string | null; samples: Sample[] };

/**
 * Reads metrics as the grammars of the two formats have them, and throws for what they forbid: written from the documents, not from what
 * writes them. https://prometheus.io/docs/instrumenting/exposition_formats/, https://prometheus.io/docs/specs/om/open_metrics_spec/.
 */
export function parseExposition(text: string, format: 'prometheus' | 'openmetrics'): readonly ParsedFamily[] {
  if (!text.endsWith('\n')) throw new Error('The last line does not end');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('There is no # EOF at the end');
  const families: Draft[] = [];
  for (const line of lines) {
    const meta = /^# (HELP|TYPE|UNIT) (\S+) (.*)$/.exec(line);
    if (meta !== null) addMeta(families, meta as unknown as Meta, format);
    else if (line.startsWith('#') || line === '') throw new Error(`What is this: ${line}`);
    else addSample(families, line, format);
  }
  for (const family of families) check(family, format);
  return families;
}

type Meta = readonly [string, 'HELP' | 'TYPE' | 'UNIT', string, string];

function addMeta(families: Draft[], [, kind, name, rest]: Meta, format: string): void {
  let family = families.at(-1);
  if (family?.name !== name) {
    if (families.some((other) => other.name === name)) throw new Error(`${name} comes twice`);
    family = { name, type: '', help: '', unit: null, samples: [] };
    families.push(family);
  }
  if (family.samples.length > 0) throw new Error(`${kind} of ${name} comes after its samples`);
  if (kind === 'HELP') {
    if (!/^(?:[^\\]|\\\\|\\n|\\")*$/.test(rest)) throw new Error(`Bad escape in the help of ${name}`);
    if (format === 'openmetrics' && /(?<!\\)"/.test(rest)) throw new Error(`Bare quote in the help of ${name}`);
    family.help = unescaped(rest);
  } else if (kind === 'TYPE') family.type = rest;
  else family.unit = rest;
}

function addSample(families: Draft[], line: string, format: string): void {
  const family = families.at(-1);
  const found =
    /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)(?: # \{(.*)\} (\S+)(?: (\d+\.\d+))?)?$/.exec(
      line,
    );
  if (found === null || family === undefined) throw new Error(`No sample: ${line}`);
  const [, name = '', labels = '', value = '', exemplar, exemplarValue = ''] = found;
  if (!namesOf(family, format).includes(name)) throw new Error(`${name} is no sample of ${family.name}`);
  if (exemplar !== undefined && (format !== 'openmetrics' || !name.endsWith('_bucket')))
    throw new Error('No exemplar here');
  if (labels.endsWith(',')) throw new Error(`A comma too many: ${line}`);
  family.samples.push({
    name,
    labels: labelsOf(labels),
    value: numberOf(value),
    exemplar: exemplar === undefined ? null : { labels: labelsOf(exemplar), value: numberOf(exemplarValue) },
  });
}

function namesOf({ name, type }: Draft, format: string): readonly string[] {
  if (type === 'histogram') return [`${name}_bucket`, `${name}_sum`, `${name}_count`];
  return type === 'counter' && format === 'openmetrics' ? [`${name}_total`] : [name];
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
    if (name in labels) throw new Error(`Label ${name} comes twice`);
    labels[name] = unescaped(value);
  }
  return labels;
}

function numberOf(text: string): number {
  const special: Record<string, number> = {
    '+Inf': Number.POSITIVE_INFINITY,
    '-Inf': Number.NEGATIVE_INFINITY,
    NaN: Number.NaN,
  };
  const value = special[text] ?? Number(text);
  if (text === '' || (Number.isNaN(value) && text !== 'NaN')) throw new Error(`No number: ${text}`);
  return value;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

function check({ name, type, unit, samples }: Draft, format: string): void {
  if (!['counter', 'gauge', 'histogram'].includes(type)) throw new Error(`${name} is of type ${type}`);
  if (unit !== null && !name.endsWith(`_${unit}`)) throw new Error(`${name} has unit ${unit}`);
  if (format === 'openmetrics' && type === 'counter' && name.endsWith('_total'))
    throw new Error(`${name} ends in _total`);
  const keys = samples.map((sample) => JSON.stringify([sample.name, Object.entries(sample.labels).sort()]));
  if (new Set(keys).size !== keys.length) throw new Error(`A series of ${name} comes twice`);
  if (type !== 'gauge' && samples.some(({ value }) => value < 0)) throw new Error(`${name} is below 0`);
  if (type === 'histogram') checkBuckets(name, samples);
}

/** Of each histogram: buckets in order, growing, up to infinity, where the count is. */
function checkBuckets(name: string, samples: readonly Sample[]): void {
  let before = { le: Number.NEGATIVE_INFINITY, value: 0 };
  let total = Number.NaN;
  for (const { name: sample, labels, value } of samples) {
    if (sample.endsWith('_bucket')) {
      const le = numberOf(labels['le'] ?? '');
      if (le <= before.le || value < before.value) throw new Error(`Buckets of ${name} are out of order`);
      before = { le, value };
      if (le === Number.POSITIVE_INFINITY) {
        total = value;
        before = { le: Number.NEGATIVE_INFINITY, value: 0 };
      }
    } else if (sample.endsWith('_count') && value !== total)
      throw new Error(`The count of ${name} is not its last bucket`);
  }
  if (before.le !== Number.NEGATIVE_INFINITY) throw new Error(`${name} has no bucket up to infinity`);
}
