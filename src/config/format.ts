import { isDeepStrictEqual } from 'node:util';
import {
  type Document,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Pair,
  parseDocument,
  Scalar,
  visit,
  type YAMLMap,
  YAMLSeq,
} from 'yaml';
import type { $ZodType } from 'zod/v4/core';
import type { Diagnostic } from './config-error.ts';
import { parseYaml } from './parse-yaml.ts';
import { config } from './schema/config.ts';
import { childSchema, keysOf, optionsOf } from './schema-shape.ts';
import type { SourceNode } from './source-tree.ts';

export type FormatResult =
  | { readonly ok: true; readonly text: string }
  /** It does not parse. */
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * A file of the configuration in its canonical form: sections and keys in the order of the schema, two spaces, no quotes that
 * change nothing, one blank line where there were some, between sections always. Comments, anchors and aliases are
 * kept, and so is every value: where that could not be, the text comes back as it is. Formatting twice changes nothing more.
 */
export function formatYaml(file: string, text: string): FormatResult {
  const before = parseYaml(file, text, null);
  if (before.broken || before.diagnostics.length > 0) return { ok: false, diagnostics: before.diagnostics };
  const meant = meaningOf(before.root);
  const remarks = commentsOf(text);
  for (const sorted of [true, false]) {
    const formatted = settled(text, sorted);
    if (formatted === null) continue;
    const after = parseYaml(file, formatted, null);
    const isSame = after.diagnostics.length === 0 && isDeepStrictEqual(meaningOf(after.root), meant);
    if (isSame && isDeepStrictEqual(commentsOf(formatted), remarks)) return { ok: true, text: formatted };
  }
  return { ok: true, text };
}

/** Where a comment ends up may let another round change it once more. `null`: it never comes to rest, or can’t be sorted. */
function settled(text: string, sorted: boolean): string | null {
  let current = text;
  for (let round = 0; round < 4; round += 1) {
    const next = formattedOnce(current, sorted);
    if (next === null || next === current) return next;
    current = next;
  }
  return null;
}

function formattedOnce(text: string, sorted: boolean): string | null {
  const document = parseDocument(text, { uniqueKeys: false, merge: true, keepSourceTokens: false });
  visit(document, {
    Scalar: (_key, scalar) => unquote(scalar),
    Collection: (_key, node) => {
      if (node.flow === true) padded(node);
    },
  });
  if (!isCollection(document.contents)) return text;
  if (isMap(document.contents)) {
    keepHead(document, document.contents);
    if (sorted) sort(document.contents, config);
    separate(document.contents);
  }
  try {
    return aligned(document.toString({ ...STYLE, commentString }));
  } catch {
    return null; // an alias has come before its anchor
  }
}

const STYLE = { indent: 2, indentSeq: true, lineWidth: 0, singleQuote: true } as const;

/** Before each comment, until they stand where they belong. */
const MARK = '\u0001';

function commentString(comment: string): string {
  return comment.replaceAll(/^(?!$)(?: $)?/gm, `${MARK}#`);
}

/** Lines up to this width have their comments in one column. */
const WIDEST = 80;

/** Comments behind values of neighbouring lines, one below the other. */
function aligned(written: string): string {
  const lines = written.split('\n').map((line) => {
    const at = line.indexOf(MARK);
    if (at === -1) return { value: line, comment: null };
    return { value: line.slice(0, at).trimEnd(), indent: line.slice(0, at), comment: line.slice(at + 1) };
  });
  const columns = lines.map(({ value, comment }) =>
    comment === null || value === '' || value.length > WIDEST ? 0 : value.length,
  );
  for (let first = 0; first < columns.length; first += 1) {
    let end = first;
    while ((columns[end] ?? 0) > 0) end += 1;
    columns.fill(Math.max(0, ...columns.slice(first, end)), first, end);
    first = Math.max(first, end - 1);
  }
  return lines
    .map(({ value, indent = '', comment }, index) => {
      if (comment === null) return value;
      return value === '' ? `${indent}${comment}` : `${value.padEnd(columns[index] ?? 0)} ${comment}`;
    })
    .join('\n');
}

/** What other programs, which read YAML 1.1, take for a boolean, a number, or a date. */
const OTHERWISE_READ =
  /^(?:y|n|yes|no|on|off|true|false|null|~|[-+]?[\d_]+(?::[0-5]?\d)*(?:\.[\d_]*)?(?:e[-+]?\d+)?|[-+]?0[xob][\da-f_]+|\d{4}-\d\d?-\d\d?.*)$/i;

/** What a person sees no difference in, quotes aside that `${…}` needs: in them it stays text. */
function unquote(scalar: Scalar): void {
  const { type, value } = scalar;
  if (type !== 'QUOTE_DOUBLE' && type !== 'QUOTE_SINGLE') return;
  if (typeof value !== 'string' || value === '' || OTHERWISE_READ.test(value) || /[\n\t$]|\p{Cc}/u.test(value)) return;
  scalar.type = Scalar.PLAIN;
}

/** `{ a: 1 }`, but `[a, b]`. */
function padded(node: YAMLMap | YAMLSeq): void {
  const plain = node.toString;
  const padding = node instanceof YAMLSeq ? '' : ' ';
  node.toString = function (this: YAMLMap | YAMLSeq, context, ...rest): string {
    if (context === undefined) return plain.call(this);
    return plain.call(this, { ...context, flowCollectionPadding: padding } as typeof context, ...rest);
  } as typeof node.toString;
}

/** What says to editors which schema it is stays in the first line, whichever key it stands before. */
function keepHead(document: Document.Parsed, root: YAMLMap): void {
  const first = root.items[0]?.key;
  for (const node of isScalar(first) ? [root, first] : [root]) {
    const lines = node.commentBefore?.split('\n') ?? [];
    const rest = lines.findIndex((line) => !line.startsWith(' yaml-language-server:'));
    const head = rest === -1 ? lines : lines.slice(0, rest);
    if (head.length === 0) continue;
    document.commentBefore = joined(document.commentBefore, head.join('\n'));
    node.commentBefore = rest === -1 ? null : lines.slice(rest).join('\n');
    return;
  }
}

function joined(...comments: readonly (string | null | undefined)[]): string {
  return comments.filter((comment) => (comment ?? '') !== '').join('\n');
}

function sort(node: unknown, schema: $ZodType | null): void {
  if (isSeq(node)) for (const item of node.items) sort(item, schema === null ? null : childSchema(schema, 0));
  if (!isMap(node)) return;
  const option = schema === null ? null : optionFor(schema, node);
  const order = option === null ? [] : keysOf(option);
  for (const pair of node.items) {
    const key = keyOf(pair);
    sort(pair.value, option === null || key === null ? null : childSchema(option, key));
  }
  const rank = (pair: Pair): number => {
    const key = keyOf(pair);
    if (key === '<<') return -1;
    const index = key === null ? -1 : order.indexOf(key);
    return index === -1 ? order.length : index;
  };
  const inOrder = node.items.toSorted((a, b) => rank(a) - rank(b));
  if (order.length === 0 || inOrder.every((pair, index) => pair === node.items[index])) return;
  moveCommentToFirst(node);
  node.items = inOrder;
  const [first] = inOrder;
  if (first !== undefined && isScalar(first.key)) first.key.spaceBefore = false;
}

/** What stands before the first key is that of the map, until another key is the first. */
function moveCommentToFirst(node: YAMLMap): void {
  const key = node.items[0]?.key;
  if (node.flow === true || !isScalar(key) || (node.commentBefore ?? '') === '') return;
  key.commentBefore = joined(node.commentBefore, key.commentBefore);
  node.commentBefore = null;
}

/** Of several alternatives, the first whose keys these are. */
function optionFor(schema: $ZodType, node: YAMLMap): $ZodType | null {
  const keys = node.items.map(keyOf).filter((key) => key !== null && key !== '<<');
  const options = optionsOf(schema).flatMap((option) => (option === schema ? [option] : optionsOf(option)));
  if (options.length === 1) return options[0] ?? null;
  return options.find((option) => keys.every((key) => keysOf(option).includes(key as string))) ?? null;
}

function keyOf({ key }: Pair): string | null {
  if (!isScalar(key)) return null;
  // The key of a merge is a symbol.
  return typeof key.value === 'symbol' ? '<<' : typeof key.value === 'string' ? key.value : null;
}

/** A blank line between sections. */
function separate(root: YAMLMap): void {
  for (const [index, { key }] of root.items.entries()) if (isScalar(key)) key.spaceBefore = index > 0;
}

/** Everything that loading could tell apart, the order of fixed keys aside. */
function meaningOf(node: SourceNode | null): unknown {
  if (node === null) return null;
  if (node.kind === 'list') return node.items.map(meaningOf);
  if (node.kind === 'scalar') return { value: node.value, quoted: node.quoted && /\$\{/.test(node.text) };
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, meaningOf(value)]));
}

function commentsOf(text: string): string[] {
  return [...new Lexer().lex(text)]
    .filter((lexeme) => lexeme.startsWith('#'))
    .map((comment) => comment.trimEnd())
    .sort();
}
