import type { LocalReply } from '../exchange/local-reply.ts';
import { type Compiled, compiled, problem } from './compiled.ts';
import { translate, URL_QUERY } from './octets.ts';
import { compileTemplate, render, type Template } from './template.ts';
import type { Variables } from './variables.ts';

/** The same shape as `redirect` of the configuration. */
export interface RedirectConfig {
  readonly to: string;
  readonly status: number;
  readonly keepQuery: boolean;
}

/**
 * Compiles a redirect: `Location` and an empty body. With `keepQuery` the request's query goes behind what query `to` has,
 * unless `to` inserts it itself with {uri} or {query}.
 */
export function compileRedirect(
  config: RedirectConfig,
  captures: readonly string[],
): Compiled<(variables: Variables) => LocalReply> {
  const result = compileTemplate(config.to, captures, 'url');
  if (!result.ok) return problem(['to'], result.message);
  const { template } = result;
  const appendsQuery = config.keepQuery && !insertsQuery(template, captures);
  return compiled((variables) => {
    const url = render(template, variables);
    const { query } = variables;
    return redirectTo(appendsQuery && query !== null ? withQuery(url, query) : url, config.status, 'redirect');
  });
}

/** A redirect with an empty body. `reason` is what the log calls it. */
export function redirectTo(url: string, status: number, reason: string): LocalReply {
  return { status, headers: ['Location', url, 'Content-Length', '0'], body: null, reason, error: null };
}

function insertsQuery(template: Template, captures: readonly string[]): boolean {
  return template.names.some((name) => (name === 'uri' || name === 'query') && !captures.includes(name));
}

/** `query` joins what is there; a fragment stays last (RFC 3986 §3). */
function withQuery(url: string, query: string): string {
  const hash = url.indexOf('#');
  const end = hash < 0 ? url.length : hash;
  const question = url.indexOf('?');
  const hasQuery = question >= 0 && question < end;
  const glue = !hasQuery ? '?' : question === end - 1 || query === '' ? '' : '&';
  return url.slice(0, end) + glue + translate(query, URL_QUERY) + url.slice(end);
}
