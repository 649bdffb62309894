import { type Compiled, compiled, problem } from './compiled.ts';
import { compileRegexRewrite } from './rewrite-regex.ts';
import { compileTemplate, render } from './template.ts';
import { canonicalPrefix, isUnder, rooted } from './upstream-path.ts';
import type { Variables } from './variables.ts';

/** The same shape as `rewrite` of the configuration. */
export type RewriteConfig =
  | { readonly stripPrefix: string }
  | { readonly prefix: string }
  | { readonly path: string }
  | { readonly regex: string; readonly replace: string };

export interface RewriteOptions {
  /** The path prefix that the route matches, or `null` when it matches otherwise. */
  readonly matchedPrefix: string | null;
}

/** The path towards the endpoint: valid, visible ASCII, with exactly one "/" at its start, and without dot segments. */
export type PathRewrite = (path: string, variables: Variables) => string;

/**
 * Compiles a path rewrite. What it gets is the canonical path, what it returns goes upstream as it is. `captures` are the
 * names that the path of the route captures.
 */
export function compileRewrite(
  config: RewriteConfig,
  captures: readonly string[],
  options: RewriteOptions,
): Compiled<PathRewrite> {
  if ('stripPrefix' in config) return compileStrip(config.stripPrefix, options.matchedPrefix);
  if ('prefix' in config) return compilePrefix(config.prefix, options.matchedPrefix);
  if ('regex' in config) return compileRegexRewrite(config, captures);
  const result = compileTemplate(config.path, captures, 'path');
  if (!result.ok) return problem(['path'], result.message);
  const { template } = result;
  return compiled((_path, variables) => render(template, variables));
}

function compileStrip(text: string, matchedPrefix: string | null): Compiled<PathRewrite> {
  const prefix = plainPrefix(text, 'stripPrefix');
  if (!prefix.ok) return prefix;
  const strip = prefix.value;
  const matched = matchedPrefix === null ? null : canonicalPrefix(matchedPrefix);
  if (matched !== null && !isUnder(matched, strip) && !isUnder(strip, matched)) {
    return problem(['stripPrefix'], `no path of this route starts with "${text}": it matches "${matchedPrefix}/**"`);
  }
  return compiled(replacePrefix(strip, ''));
}

function compilePrefix(text: string, matchedPrefix: string | null): Compiled<PathRewrite> {
  const prefix = plainPrefix(text, 'prefix');
  if (!prefix.ok) return prefix;
  const matched = matchedPrefix === null ? null : canonicalPrefix(matchedPrefix);
  if (matched === null) {
    const message = '"prefix" replaces the prefix that the route matches, but this route matches none: ';
    return problem(['prefix'], `${message}match a path like /old/**, or give "path" or "regex"`);
  }
  return compiled(replacePrefix(matched, prefix.value));
}

function plainPrefix(text: string, key: string): Compiled<string> {
  if (/[{}]/.test(text)) return problem([key], `${key} takes no variables; give "path" instead`);
  const prefix = canonicalPrefix(text);
  if (prefix !== null) return compiled(prefix);
  return problem([key], `"${text}" is not a path prefix: it has "?", "#", "//", a dot segment or a control character`);
}

/** Replaces `from` on a segment border; a path that is not below it stays. Both without "/" at the end. */
function replacePrefix(from: string, to: string): PathRewrite {
  return (path) => (isUnder(path, from) ? rooted(to + path.slice(from.length)) : path);
}
