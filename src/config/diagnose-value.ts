import type { $ZodIssue, $ZodType } from 'zod/v4/core';
import type { Complaint } from './config-error.ts';
import { nearValue } from './near-values.ts';
import type { ValueForm } from './schema/units.ts';
import { accepts, formOf, keysOf, nounOf, optionsOf, unwrap } from './schema-shape.ts';
import type { ScalarNode, SourceNode } from './source-tree.ts';
import { closest, didYouMean, enumerate } from './suggest.ts';

/** A value that its schema refuses. */
export interface ValueSite {
  /** The last key of its path, as a name for it. */
  readonly key: string;
  readonly node: SourceNode;
  readonly schema: $ZodType;
}

const YES_NO: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['on', true],
  ['y', true],
  ['no', false],
  ['off', false],
  ['n', false],
]);

/** What to say about a value that `issue` refuses. Prints what the file says, never what `${…}` stood for. */
export function explainValue(issue: $ZodIssue, site: ValueSite): Complaint {
  const { node, schema } = site;
  if (isNothing(node)) return nothingThere(site);
  const form = formOf(schema);
  if (form !== null && isOutOfRange(issue, form)) {
    return { message: `${shown(node)} is not allowed here`, suggestion: issue.message };
  }
  if (form !== null && node.kind === 'scalar' && isReadAsText(form, node)) return misformed(form, node);
  switch (issue.code) {
    case 'invalid_union':
      return wrongType(site);
    case 'invalid_type':
      return issue.expected === 'int' ? notWhole(node) : wrongType(site);
    case 'invalid_value':
      return notOneOf(issue.values.map(String), site);
    case 'too_small':
      return tooSmall(issue, site);
    case 'too_big':
      return tooBig(issue, site);
    case 'custom':
      return { message: issue.message };
    default:
      return { message: `${shown(node)} is not allowed here`, suggestion: issue.message };
  }
}

/** The value has a type that does not belong here. */
export function wrongType(site: ValueSite): Complaint {
  if (isNothing(site.node)) return nothingThere(site);
  const expected = nounOf(site.schema);
  const message = `expected ${expected}, found ${shown(site.node)}`;
  return { message, suggestion: remedyForType(site) };
}

/** The value is none of the words or numbers that are allowed. */
export function notOneOf(values: readonly string[], site: ValueSite): Complaint {
  const { node, schema } = site;
  if (isNothing(node)) return nothingThere(site);
  if (node.kind !== 'scalar') return wrongType(site);
  if (values.length === 1) {
    const message = `expected ${nounOf(schema)}, found ${shown(node)}`;
    return { message, suggestion: remedyForType(site) ?? `write ${values[0]}, or remove “${site.key}”` };
  }
  const message = `${quote(node.text)} is not allowed for “${site.key}”`;
  const words = values.filter((value) => !/^\d/.test(value) || value === node.text); // 300 is no slip for 301
  const near = node.from === 'file' ? closest(node.text, words) : null;
  if (near !== null && near !== node.text) return { message, suggestion: didYouMean(near) };
  if (near !== null) return { message, suggestion: 'remove the quotes' };
  return { message, suggestion: `use ${enumerate(values)}` };
}

function isNothing(node: SourceNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** Read as what it should be, and then refused by the key that it stands at. */
function isOutOfRange(issue: $ZodIssue, { kind }: ValueForm): boolean {
  const isQuantity = kind === 'duration' || kind === 'size' || kind === 'share' || kind === 'rate';
  return isQuantity && issue.code === 'custom' && issue.params?.['unit'] === undefined;
}

/** Durations and sizes may be numbers in YAML; the others are text or have a wrong type. */
function isReadAsText(form: ValueForm, node: ScalarNode): boolean {
  if (typeof node.value === 'string') return true;
  return typeof node.value === 'number' && ['duration', 'size', 'share', 'address'].includes(form.kind);
}

function nothingThere({ key, schema }: ValueSite): Complaint {
  const message = /^\d+$/.test(key) ? 'this item is empty' : `“${key}” has no value`;
  const suggestion = accepts(schema, {}) ? 'write “{}” for the defaults' : `write ${nounOf(schema)}, or remove it`;
  return { message, suggestion };
}

function misformed(form: ValueForm, node: ScalarNode): Complaint {
  const message = `${quote(node.text)} is not ${form.noun}`;
  const near = node.from === 'file' ? nearValue(form.kind, node.text) : null;
  if (near === null) return { message, suggestion: `write ${form.form}` };
  const isUrl = form.kind === 'address' && node.text.includes('/');
  return { message, suggestion: `${didYouMean(near)}${isUrl ? ' The route’s “rewrite” adds a path' : ''}` };
}

function remedyForType({ node, schema }: ValueSite): string | null {
  if (node.kind === 'scalar') return remedyForScalar(node, schema) ?? structureFor(node, schema);
  const wantsList = optionsOf(schema).some((option) => unwrap(option)._zod.def.type === 'array');
  if (wantsList && node.kind === 'map') return 'begin each item with “- ”';
  return null;
}

function remedyForScalar(node: ScalarNode, schema: $ZodType): string | null {
  const types = new Set(optionsOf(schema).map((option) => unwrap(option)._zod.def.type));
  const isAddress = optionsOf(schema).some((option) => formOf(option)?.kind === 'address');
  const word = YES_NO.get(node.text.toLowerCase());
  if ((types.has('boolean') || types.has('literal')) && word !== undefined && !types.has('string')) {
    return `YAML 1.2 reads ${quote(node.text)} as text: write ${word}`;
  }
  if (typeof node.value === 'number' && isAddress) return didYouMean(`localhost:${node.text}`);
  const form = formOf(schema);
  if (form !== null && form.kind !== 'word') return `write ${form.form}`;
  if (typeof node.value !== 'string' && types.has('string')) return `put it in quotes: "${node.text}"`;
  if (!node.quoted) return null;
  const isBoolean = types.has('boolean') && /^(true|false)$/.test(node.text);
  const isNumber = types.has('number') && /^-?\d+(\.\d+)?$/.test(node.text);
  return isBoolean || isNumber ? 'remove the quotes' : null;
}

function structureFor(node: ScalarNode, schema: $ZodType): string | null {
  const inner = unwrap(schema);
  if (inner._zod.def.type === 'array') return `write a list: [${node.quoted ? `"${node.text}"` : node.text}]`;
  const keys = optionsOf(inner).flatMap(keysOf);
  return keys.length === 0 ? null : `its keys are ${enumerate([...new Set(keys)], 'and', 6)}`;
}

function notWhole(node: SourceNode): Complaint {
  return { message: `expected a whole number, found ${shown(node)}` };
}

type TooSmall = Extract<$ZodIssue, { code: 'too_small' }>;
type TooBig = Extract<$ZodIssue, { code: 'too_big' }>;

function tooSmall(issue: TooSmall, { key, node }: ValueSite): Complaint {
  const least = Number(issue.minimum);
  if (node.kind !== 'scalar') return { message: `“${key}” is empty`, suggestion: 'it needs at least one item' };
  if (issue.origin !== 'string') return { message: `${node.text} is too small`, suggestion: `at least ${least}` };
  if (least === 1) return { message: `“${key}” is empty`, suggestion: 'write at least one character' };
  return { message: `“${key}” is too short`, suggestion: `at least ${least} characters` };
}

function tooBig(issue: TooBig, { node }: ValueSite): Complaint {
  return { message: `${shown(node, false)} is too big`, suggestion: `at most ${Number(issue.maximum)}` };
}

/** A value in a message: its kind, and what the file says. */
function shown(node: SourceNode, withKind = true): string {
  if (node.kind === 'map') return 'a map';
  if (node.kind === 'list') return 'a list';
  if (typeof node.value === 'string' || node.from === 'expansion') return quote(node.text);
  const kind = typeof node.value === 'number' && withKind ? 'the number ' : '';
  return `${kind}${node.text}`;
}

/** Text in a message: one line, and not a page of it. */
function quote(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length === text.length && line.length <= 60 ? `“${line}”` : `“${line.slice(0, 59)}…”`;
}
