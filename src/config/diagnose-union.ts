import type { $ZodIssue, $ZodType } from 'zod/v4/core';
import type { Complaint } from './config-error.ts';
import { notOneOf, type ValueSite, wrongType } from './diagnose-value.ts';
import { formOf, keysOf, optionsOf, requiredKeysOf, unwrap } from './schema-shape.ts';
import type { MapNode } from './source-tree.ts';
import { closest, enumerate } from './suggest.ts';

/** What is left of "none of these alternatives fits": the one that was meant, or one complaint about all. */
export type UnionVerdict =
  | { readonly kind: 'option'; readonly schema: $ZodType; readonly issues: readonly $ZodIssue[] }
  | { readonly kind: 'complaint'; readonly complaint: Complaint }
  /** Keys that no alternative has, and those that could stand here. */
  | { readonly kind: 'unknown-keys'; readonly keys: readonly string[]; readonly candidates: readonly string[] };

interface Option {
  readonly schema: $ZodType;
  readonly issues: readonly $ZodIssue[];
}

/** Reduces a failed union to the alternative that the value's shape and keys come nearest to. */
export function judgeUnion(errors: readonly (readonly $ZodIssue[])[], site: ValueSite): UnionVerdict {
  const options = alternativesOf(site.schema, errors);
  if (site.node.kind === 'map') return judgeMap(options, site.node, site);
  // An alternative that refuses the type as a whole was not meant.
  const isList = site.node.kind === 'list';
  const meant = options.filter(({ schema, issues }) => !issues.some(isWrongType) && !(isList && isWord(schema)));
  if (meant.length === 0) return { kind: 'complaint', complaint: wrongType(site) };
  const values = meant.flatMap(({ issues }) => issues.flatMap((issue) => valuesOf(issue)));
  if (values.length >= meant.length) return { kind: 'complaint', complaint: oneOf(values, options, site) };
  return fewestIssues(meant);
}

/** Those of an alternative that is a union itself stand in its place: `false`, or one of several or a list of them. */
function alternativesOf(schema: $ZodType, errors: readonly (readonly $ZodIssue[])[]): readonly Option[] {
  return optionsOf(schema).flatMap((option, index) => {
    const issues = errors[index] ?? [];
    const [first] = issues;
    const isUnion = unwrap(option)._zod.def.type === 'union' && formOf(option) === null;
    if (!isUnion) return [{ schema: option, issues }];
    if (first?.code === 'invalid_union' && first.path.length === 0) return alternativesOf(option, first.errors);
    // Of one alternative alone, where that is the only one that comes near: which, its type tells.
    return alternativesOf(
      option,
      optionsOf(option).map(() => issues),
    );
  });
}

function isWrongType(issue: $ZodIssue): boolean {
  return issue.path.length === 0 && issue.code === 'invalid_type' && issue.expected !== 'int';
}

function valuesOf(issue: $ZodIssue): string[] {
  return issue.path.length === 0 && issue.code === 'invalid_value' ? issue.values.map(String) : [];
}

/** Alternatives that are words, beside others that are maps or lists: both are worth telling, unless one of the words was meant. */
function oneOf(values: readonly string[], options: readonly Option[], site: ValueSite): Complaint {
  const onlyWords = options.every(({ schema }) => isWord(schema));
  return onlyWords || isSlip(values, site) ? notOneOf(values, site) : wrongType(site);
}

function isWord(schema: $ZodType): boolean {
  return ['literal', 'enum'].includes(unwrap(schema)._zod.def.type);
}

function isSlip(values: readonly string[], { node }: ValueSite): boolean {
  return values.length > 1 && node.kind === 'scalar' && node.from === 'file' && closest(node.text, values) !== null;
}

function fewestIssues(options: readonly Option[]): UnionVerdict {
  const [best] = [...options].sort((a, b) => a.issues.length - b.issues.length);
  return { kind: 'option', schema: best?.schema as $ZodType, issues: best?.issues ?? [] };
}

function judgeMap(options: readonly Option[], node: MapNode, site: ValueSite): UnionVerdict {
  const maps = options.filter(({ schema }) => ['object', 'record'].includes(unwrap(schema)._zod.def.type));
  if (maps.length === 0) return { kind: 'complaint', complaint: wrongType(site) };
  if (maps.length === 1) return fewestIssues(maps);
  const given = [...node.entries.keys()];
  const fitting = maps.filter(({ schema }) => given.every((key) => keysOf(schema).includes(key)));
  const all = [...new Set(maps.flatMap(({ schema }) => keysOf(schema)))];
  const unknown = given.filter((key) => !all.includes(key));
  if (unknown.length > 0) {
    const candidates = given.length > unknown.length ? completions(maps, given, unknown) : all;
    return { kind: 'unknown-keys', keys: unknown, candidates };
  }
  if (given.length > 0 && fitting.length > 0) return fewestIssues(fitting);
  return { kind: 'complaint', complaint: given.length === 0 ? needsOne(maps, site) : tooMany(given, maps) };
}

/** Keys that go together with those that are given and known. */
function completions(maps: readonly Option[], given: readonly string[], unknown: readonly string[]): string[] {
  const known = given.filter((key) => !unknown.includes(key));
  const possible = maps.filter(({ schema }) => known.every((key) => keysOf(schema).includes(key)));
  return possible.flatMap(({ schema }) => keysOf(schema)).filter((key) => !known.includes(key));
}

function alternatives(maps: readonly Option[]): string[] {
  return maps.map(({ schema }) => requiredKeysOf(schema).join(' + '));
}

function needsOne(maps: readonly Option[], site: ValueSite): Complaint {
  return { message: `“${site.key}” is empty`, suggestion: `write one of ${enumerate(alternatives(maps))}` };
}

function tooMany(given: readonly string[], maps: readonly Option[]): Complaint {
  const message = `${enumerate(given, 'and')} can’t stand together`;
  return { message, suggestion: `keep one of ${enumerate(alternatives(maps))}` };
}
