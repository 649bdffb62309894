import { type Matcher, RE2JS } from 're2js';
import { type Compiled, compiled, problem } from './compiled.ts';
import { type Bound, type Part, pathText, pathVariable, type TemplateMistake } from './place.ts';
import { bindTokens } from './template.ts';
import { parseTemplate } from './template-syntax.ts';
import { upstreamPath } from './upstream-path.ts';
import type { Variables } from './variables.ts';

export interface RegexRewriteConfig {
  readonly regex: string;
  readonly replace: string;
}

/** A part of the replacement: text, a variable, or the number of a group. */
type Piece = Part | number;

/**
 * Replaces every match of the regex in the path. The replacement inserts groups (`$1`, `$$` for a dollar sign) besides
 * variables. RE2 syntax, linear in the path's length whatever a client sends.
 */
export function compileRegexRewrite(
  config: RegexRewriteConfig,
  captures: readonly string[],
): Compiled<(path: string, variables: Variables) => string> {
  const regex = compileRegex(config.regex);
  if (!regex.ok) return regex;
  const pieces = compileReplacement(config.replace, regex.value.groupCount(), captures);
  if (!Array.isArray(pieces)) return problem(['replace'], (pieces as TemplateMistake).message);
  return compiled((path, variables) => replaceMatches(regex.value.matcher(path), path, pieces, variables));
}

function compileRegex(text: string): Compiled<RE2JS> {
  try {
    return compiled(RE2JS.compile(text));
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    return problem(['regex'], `not a regular expression that RE2 knows: ${reason}`);
  }
}

function compileReplacement(
  text: string,
  groups: number,
  captures: readonly string[],
): readonly Piece[] | TemplateMistake {
  const parsed = parseTemplate(text);
  if (!parsed.ok) return parsed;
  const bound = bindTokens(parsed.tokens, captures);
  if (!bound.ok) return bound;
  const pieces: Piece[] = [];
  for (const token of bound.tokens) {
    const wrong = token.kind === 'text' ? addText(pieces, token, groups) : addVariable(pieces, token);
    if (wrong !== null) return wrong;
  }
  return pieces;
}

function addVariable(pieces: Piece[], token: Bound & { readonly kind: 'variable' }): TemplateMistake | null {
  const part = pathVariable(token);
  if (typeof part === 'object') return part;
  pieces.push(part);
  return null;
}

function addText(pieces: Piece[], token: Bound & { readonly kind: 'text' }, groups: number): TemplateMistake | null {
  for (const found of token.text.matchAll(/\$(\d+|\$)|[^$]+|\$/g)) {
    const [text, reference] = found;
    if (reference === undefined || reference === '$') {
      const literal = pathText(reference ?? text, token.index + found.index);
      if (typeof literal === 'object') return literal;
      pieces.push(literal);
      continue;
    }
    const digits = longestGroup(reference, groups);
    if (digits === '') {
      const message = `there is no group ${text}: the regex has ${groups}; a dollar sign is written "$$"`;
      return { ok: false, message, index: token.index + found.index };
    }
    pieces.push(Number(digits), reference.slice(digits.length));
  }
  return null;
}

/** As many leading digits as still number a group: with one group, `$10` is `$1` and a zero. */
function longestGroup(digits: string, groups: number): string {
  for (let end = digits.length; end > 0; end -= 1) {
    if (Number(digits.slice(0, end)) <= groups) return digits.slice(0, end);
  }
  return '';
}

function replaceMatches(matcher: Matcher, path: string, pieces: readonly Piece[], variables: Variables): string {
  if (!matcher.find()) return path;
  let out = '';
  let copied = 0;
  do {
    out += path.slice(copied, matcher.start());
    copied = matcher.end();
    for (const piece of pieces) {
      if (typeof piece === 'string') out += piece;
      else if (typeof piece === 'number') out += matcher.group(piece) ?? '';
      else out += piece(variables);
    }
  } while (matcher.find());
  return upstreamPath(out + path.slice(copied));
}
