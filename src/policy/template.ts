import { bindBody } from './body-template.ts';
import { type Binding, type Bound, bindHeader, bindPath, bindQuery, type Part, type TemplateMistake } from './place.ts';
import { parseBodyTemplate, parseTemplate, type Token } from './template-syntax.ts';
import { bindUrl } from './url-template.ts';
import { resolveVariable, suggestVariable, type Variables } from './variables.ts';

/**
 * Where a rendered template goes, which decides how variables are escaped in it: a field value, a path towards an
 * endpoint, one query value, a URL for a browser, or a body as plain text, JSON or script, HTML or XML.
 */
export type Place = 'header' | 'path' | 'query' | 'url' | 'body' | 'json' | 'html';

export interface Template {
  readonly place: Place;
  /** The result, if no variable has a say in it. */
  readonly constant: string | null;
  readonly parts: readonly Part[];
  readonly finish: ((text: string) => string) | null;
  /** Names of the variables and captures in it, in order, with repeats. */
  readonly names: readonly string[];
}

export type TemplateResult = { readonly ok: true; readonly template: Template } | TemplateMistake;

/**
 * Compiles `text` for `place`. `captures` are the names that the path of the route captures (docs/variables.md). Whatever
 * a client sends, the result of `render` is well-formed in that place: a header value is one line, a path can't climb
 * or become an authority, a query value stays one value, a URL keeps the host that was written.
 */
export function compileTemplate(text: string, captures: readonly string[], place: Place): TemplateResult {
  const isBody = place === 'body' || place === 'json' || place === 'html';
  const parsed = isBody ? parseBodyTemplate(text) : parseTemplate(text);
  if (!parsed.ok) return parsed;
  const bound = bindTokens(parsed.tokens, captures);
  if (!bound.ok)
    return isBody ? { ...bound, message: `${bound.message}; for the text itself double the braces` } : bound;
  const binding = bindPlace(bound.tokens, place);
  if (!binding.ok) return binding;
  const { parts, finish } = binding;
  const names = bound.tokens.flatMap((token) => (token.kind === 'variable' ? [token.name] : []));
  const joined = names.length === 0 ? parts.join('') : null;
  const constant = joined === null || finish === null ? joined : finish(joined);
  return { ok: true, template: { place, constant, parts, finish, names } };
}

/** The octets of `template` for one exchange, escaped for its place. Hot. */
export function render(template: Template, variables: Variables): string {
  if (template.constant !== null) return template.constant;
  let text = '';
  for (const part of template.parts) text += typeof part === 'string' ? part : part(variables);
  return template.finish === null ? text : template.finish(text);
}

/** Finds the variable of every token. */
export function bindTokens(
  tokens: readonly Token[],
  captures: readonly string[],
): { readonly ok: true; readonly tokens: readonly Bound[] } | TemplateMistake {
  const bound: Bound[] = [];
  for (const token of tokens) {
    if (token.kind === 'text') {
      bound.push(token);
      continue;
    }
    const variable = resolveVariable(token.name, captures);
    if (variable === null) return { ok: false, message: unknownVariable(token.name, captures), index: token.index };
    bound.push({ ...token, variable });
  }
  return { ok: true, tokens: bound };
}

function unknownVariable(name: string, captures: readonly string[]): string {
  const near = suggestVariable(name, captures);
  if (near !== null) return `unknown variable {${name}} (did you mean {${near}}?)`;
  if (captures.length === 0) return `unknown variable {${name}}, and the path of this route captures nothing`;
  return `unknown variable {${name}}; the path of this route captures ${captures.map((c) => `{${c}}`).join(', ')}`;
}

function bindPlace(tokens: readonly Bound[], place: Place): Binding {
  if (place === 'header') return bindHeader(tokens);
  if (place === 'path') return bindPath(tokens);
  if (place === 'query') return bindQuery(tokens);
  return place === 'url' ? bindUrl(tokens) : bindBody(tokens, place);
}
