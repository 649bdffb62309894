import { z } from 'zod';
import type { $ZodIssue, $ZodType } from 'zod/v4/core';
import { type Complaint, type Diagnostic, diagnosticAt, type Place } from './config-error.ts';
import { explainUnknownKey, schemaAt, unknownKeyMessage } from './diagnose-keys.ts';
import { judgeUnion } from './diagnose-union.ts';
import { explainValue } from './diagnose-value.ts';
import { formOf, keysOf, narrow, nounOf, optionsOf, unwrap } from './schema-shape.ts';
import { keyPlaceAt, nodeAt, type Path, placeAt, type SourceNode, toPlain } from './source-tree.ts';
import { didYouMean } from './suggest.ts';

/** One thing that is wrong, before its causes and effects are known. */
type Mistake =
  | { readonly kind: 'value'; readonly path: Path; readonly schema: $ZodType; readonly issue: $ZodIssue }
  | { readonly kind: 'missing'; readonly path: Path; readonly schema: $ZodType }
  /** A route without pool, redirect or respond. */
  | { readonly kind: 'no-action'; readonly path: Path; readonly message: string }
  | { readonly kind: 'unknown'; readonly path: Path; readonly key: string; readonly candidates: readonly string[] }
  | { readonly kind: 'said'; readonly path: Path; readonly complaint: Complaint; readonly at: 'key' | 'value' };

/**
 * Turns what `schema` found wrong in `root` into diagnostics: one for each mistake of the writer. Errors that follow
 * from another (a missing key that is there, but misspelt; the branches of a union that were not meant) are left out.
 */
export function diagnose(root: SourceNode, schema: $ZodType, issues: readonly $ZodIssue[]): Diagnostic[] {
  return new Diagnosis(root, schema).run(issues);
}

class Diagnosis {
  readonly #root: SourceNode;
  readonly #schema: $ZodType;

  constructor(root: SourceNode, schema: $ZodType) {
    this.#root = root;
    this.#schema = schema;
  }

  run(issues: readonly $ZodIssue[]): Diagnostic[] {
    const mistakes = issues.flatMap((issue) => this.#sort(issue, [], this.#schema));
    const unknown = mistakes.filter((mistake) => mistake.kind === 'unknown');
    const missing = mistakes.filter((mistake) => mistake.kind === 'missing');
    const explained = unknown.map((mistake) => this.#unknown(mistake, { unknown, missing }));
    const meant = new Set(explained.flatMap(({ meant }) => (meant === null ? [] : [pathText(meant)])));
    const diagnostics = explained.map(({ diagnostic }) => diagnostic);
    for (const mistake of mistakes) {
      if (mistake.kind === 'unknown' || this.#saidBefore(mistake.path)) continue;
      if (mistake.kind === 'missing' && meant.has(pathText(mistake.path))) continue;
      if (mistake.kind === 'no-action' && isExplained(mistake.path, { unknown, meant })) continue;
      diagnostics.push(this.#report(mistake));
    }
    return diagnostics;
  }

  /** What kind of mistake an issue is; `base` and `schema` are where its path begins. */
  #sort(issue: $ZodIssue, base: Path, schema: $ZodType): Mistake[] {
    const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
    const here = schemaAt(schema, path.slice(base.length)) ?? schema;
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        kind: 'unknown',
        path,
        key,
        candidates: this.#openKeys(path, keysHere(here)),
      }));
    }
    if (issue.code === 'invalid_key') return this.#badKey(path, schema, base);
    const node = nodeAt(this.#root, path);
    if (issue.code === 'custom' && issue.params?.['actions'] === 0) {
      return [{ kind: 'no-action', path, message: issue.message }];
    }
    if (node === null) return [{ kind: 'missing', path, schema: here }];
    if (issue.code === 'invalid_union' && formOf(here) === null) return this.#union(issue.errors, path, here);
    return [{ kind: 'value', path, schema: narrow(here, toPlain(node)), issue }];
  }

  #union(errors: readonly (readonly $ZodIssue[])[], path: Path, schema: $ZodType): Mistake[] {
    const node = nodeAt(this.#root, path) as SourceNode;
    const verdict = judgeUnion(errors, { key: lastKey(path), node, schema });
    if (verdict.kind === 'complaint') return [{ kind: 'said', path, complaint: verdict.complaint, at: 'value' }];
    if (verdict.kind === 'option') return verdict.issues.flatMap((issue) => this.#sort(issue, path, verdict.schema));
    return verdict.keys.map((key) => ({ kind: 'unknown', path, key, candidates: verdict.candidates }));
  }

  /** A name that no entry can have. The schemas stop there, but the entry may have mistakes of its own. */
  #badKey(path: Path, schema: $ZodType, base: Path): Mistake[] {
    const key = lastKey(path);
    const record = unwrap(schemaAt(schema, path.slice(base.length, -1)) ?? schema)._zod.def;
    if (record.type !== 'record') return [];
    const form = formOf(record.keyType);
    const complaint =
      form === null
        ? { message: key === '' ? 'a key is empty' : `“${key}” can’t be a key here` }
        : { message: `“${key}” is not ${form.noun}`, suggestion: `write ${form.form}` };
    const said: Mistake = { kind: 'said', path, complaint, at: 'key' };
    const node = nodeAt(this.#root, path);
    const inside = node === null ? undefined : z.safeParse(record.valueType, toPlain(node)).error?.issues;
    return [said, ...(inside ?? []).flatMap((issue) => this.#sort(issue, path, record.valueType))];
  }

  #openKeys(path: Path, keys: readonly string[]): string[] {
    const node = nodeAt(this.#root, path);
    return keys.filter((key) => node?.kind !== 'map' || !node.entries.has(key));
  }

  #unknown(
    mistake: Extract<Mistake, { kind: 'unknown' }>,
    others: { readonly unknown: readonly Mistake[]; readonly missing: readonly Mistake[] },
  ): { diagnostic: Diagnostic; meant: Path | null } {
    const { path, key, candidates } = mistake;
    const place = keyPlaceAt(this.#root, [...path, key]);
    const schema = schemaAt(this.#schema, path) ?? this.#schema;
    const { complaint, meant } = explainUnknownKey(key, { root: this.#schema, path, schema, candidates });
    if (meant !== null) return { diagnostic: diagnosticAt(place, complaint), meant };
    // One key too many and one too few: they are the same, under another name (`servers` for `endpoints`).
    const [absent, ...more] = others.missing.filter((other) => pathText(other.path.slice(0, -1)) === pathText(path));
    const alone = others.unknown.filter((other) => pathText(other.path) === pathText(path)).length === 1;
    if (absent === undefined || more.length > 0 || !alone) return { diagnostic: diagnosticAt(place, complaint), meant };
    const { message } = unknownKeyMessage(key, []);
    const suggestion = didYouMean(lastKey(absent.path));
    return { diagnostic: diagnosticAt(place, { message, suggestion }), meant: absent.path };
  }

  #report(mistake: Exclude<Mistake, { kind: 'unknown' }>): Diagnostic {
    const { path } = mistake;
    if (mistake.kind === 'said') return diagnosticAt(this.#placeOf(path, mistake.at), mistake.complaint);
    if (mistake.kind === 'no-action') {
      const suggestion = 'add “pool: NAME” to forward what matches';
      return diagnosticAt(placeAt(this.#root, path), { message: mistake.message, suggestion });
    }
    if (mistake.kind === 'missing') {
      const key = lastKey(path);
      const suggestion = `add “${key}: …”, ${nounOf(mistake.schema)}`;
      return diagnosticAt(placeAt(this.#root, path.slice(0, -1)), { message: `missing key “${key}”`, suggestion });
    }
    const node = nodeAt(this.#root, path) as SourceNode;
    const complaint = explainValue(mistake.issue, { key: lastKey(path), node, schema: mistake.schema });
    // Refinements judge a map, or the key that makes it wrong; parsed texts are values all the same.
    const isRefinement = mistake.issue.code === 'custom' && formOf(mistake.schema) === null;
    return diagnosticAt(this.#placeOf(path, isRefinement ? 'key' : 'value'), complaint);
  }

  #placeOf(path: Path, at: 'key' | 'value'): Place {
    return at === 'key' ? keyPlaceAt(this.#root, path) : placeAt(this.#root, path);
  }

  /** A `${…}` or alias that could not be resolved was reported when it was read. */
  #saidBefore(path: Path): boolean {
    return path.some((_, index) => {
      const node = nodeAt(this.#root, path.slice(0, index + 1));
      return node?.kind === 'scalar' && node.from === 'error';
    });
  }
}

/** An unknown key that was meant to be the route's deed, or may have been. */
function isExplained(
  route: Path,
  causes: { readonly unknown: readonly Extract<Mistake, { kind: 'unknown' }>[]; readonly meant: ReadonlySet<string> },
): boolean {
  const unresolved = causes.unknown.some(({ path, key, candidates }) => {
    const isHere = pathText(path) === pathText(route);
    return isHere && unknownKeyMessage(key, candidates).suggestion?.startsWith('known here') === true;
  });
  return unresolved || ['pool', 'redirect', 'respond'].some((key) => causes.meant.has(pathText([...route, key])));
}

function lastKey(path: Path): string {
  return String(path.at(-1) ?? '');
}

function pathText(path: Path): string {
  return JSON.stringify(path);
}

/** zod tells of unknown keys alone as if there were no other alternative. */
function keysHere(schema: $ZodType): readonly string[] {
  return [...new Set(optionsOf(schema).flatMap(keysOf))];
}
