import {
  AUTHORITY,
  COMPONENT,
  ESCAPED_COMPONENT,
  HOST_LABEL,
  type OctetTable,
  SEGMENT,
  toOctets,
  translate,
  URL_PATH,
  URL_QUERY,
} from './octets.ts';
import type { Binding, Bound, Part, TemplateMistake } from './place.ts';
import { rooted } from './upstream-path.ts';
import type { Variable, Variables } from './variables.ts';

/** Part of a URL that the next token falls into (RFC 3986 §3). */
type Component = 'start' | 'authority' | 'path' | 'parameter' | 'value' | 'fragment';

/**
 * Binds a template whose result is a URL for a browser: `https://…`, or a path on the same site. Only the configuration
 * and the request's own host may say where it leads: a variable that a client can set has to stand behind the host, or
 * in front of a literal domain (`https://{tenant}.example.com`).
 */
export function bindUrl(tokens: readonly Bound[]): Binding {
  const builder = new UrlBuilder();
  for (const token of tokens) {
    const message = token.kind === 'text' ? builder.text(token.text) : builder.variable(token.variable, token.name);
    if (message !== null) return mistake(message, token.index);
  }
  return builder.finish();
}

/** One pass over the tokens, at compile time. Methods return what is wrong, or `null`. */
class UrlBuilder {
  readonly #parts: Part[] = [];
  #component: Component = 'start';
  #hasAuthority: boolean = false;
  /** Literal end of the authority so far, if a variable that needs a domain behind it came before; else `null`. */
  #domain: string | null = null;
  #hasHost: boolean = false;

  text(text: string): string | null {
    if (/[\0-\x1f\x7f\\]/.test(text)) return 'a URL has no control characters or backslashes';
    if (this.#component !== 'start') return this.#scan(text);
    const scheme =
      this.#parts.length === 0 ? /^https?:\/\//i.exec(text)?.[0] : text.startsWith('://') ? '://' : undefined;
    if (scheme !== undefined) {
      this.#parts.push(scheme.toLowerCase());
      this.#component = 'authority';
      this.#hasAuthority = true;
      return this.#scan(text.slice(scheme.length));
    }
    if (this.#parts.length > 0 || !text.startsWith('/') || text.startsWith('//')) return WHERE;
    this.#component = 'path';
    return this.#scan(text);
  }

  variable(variable: Variable, name: string): string | null {
    const { kind } = variable;
    const startsPath = kind === 'path' || kind === 'uri';
    if (this.#component === 'start') {
      if (this.#parts.length > 0) return WHERE;
      if (kind === 'scheme') {
        this.#parts.push(variable.read);
        return null;
      }
      if (!startsPath) return `{${name}} would let a client choose where this leads; ${WHERE}`;
      this.#component = 'path';
    }
    if (this.#component === 'authority') {
      if (!startsPath) return this.#authorityVariable(variable);
      const wrong = this.#endAuthority();
      if (wrong !== null) return wrong;
      this.#component = 'path';
    }
    if (this.#component === 'path') this.#pathVariable(variable);
    else if (this.#component === 'parameter' && kind === 'query') this.#push(variable, URL_QUERY);
    else this.#push(variable, kind === 'capture' ? ESCAPED_COMPONENT : COMPONENT);
    return null;
  }

  finish(): Binding {
    if (this.#component === 'start') return mistake(WHERE, 0);
    const wrong = this.#component === 'authority' ? this.#endAuthority() : null;
    if (wrong !== null) return mistake(wrong, 0);
    // Without an authority, "//evil.test" made of variables would be one.
    return { ok: true, parts: this.#parts, finish: this.#hasAuthority ? null : rooted };
  }

  #push(variable: Variable, table: OctetTable): void {
    const { read } = variable;
    this.#parts.push((variables) => translate(read(variables), table));
  }

  #authorityVariable(variable: Variable): null {
    const isHost = variable.kind === 'host';
    this.#hasHost ||= isHost;
    if (!isHost) this.#domain = '';
    // The request's own host is as good a domain as a literal one: {tenant}.{host}.
    else if (this.#domain !== null) this.#domain += 'host';
    this.#push(variable, isHost ? AUTHORITY : HOST_LABEL);
    return null;
  }

  #pathVariable(variable: Variable): void {
    const { kind, read } = variable;
    if (kind === 'uri') this.#parts.push(escapedUri);
    else if (kind === 'path') this.#parts.push((variables) => withSlash(translate(read(variables), URL_PATH)));
    else this.#push(variable, kind === 'capture' ? URL_PATH : SEGMENT);
  }

  /** Follows literal text through the components. */
  #scan(text: string): string | null {
    for (let i = 0; i < text.length; i += 1) {
      const character = text[i] as string;
      if (this.#component === 'authority') {
        if (character === '/' || character === '?' || character === '#') {
          const wrong = this.#endAuthority();
          if (wrong !== null) return wrong;
          this.#component = 'path';
        } else {
          if (!/[A-Za-z0-9._:[\]-]/.test(character)) return `"${character}" can't be in a host`;
          this.#hasHost = true;
          if (this.#domain !== null) this.#domain += character;
        }
      }
      this.#component = next(this.#component, character);
    }
    const octets = toOctets(text);
    this.#parts.push(translate(octets, LITERAL));
    return null;
  }

  #endAuthority(): string | null {
    if (this.#domain !== null && !/\.[A-Za-z0-9]/.test(this.#domain)) {
      return 'a variable in the host needs a literal domain behind it, as in https://{tenant}.example.com, or a client chooses where this leads';
    }
    return this.#hasHost || this.#domain !== null ? null : 'the URL has no host';
  }
}

const WHERE = 'a URL here starts with "/", "http://", "https://", {scheme}://, {path} or {uri}';

/** Literal text may use every delimiter; blanks, quotes and non-ASCII are encoded. */
const LITERAL: OctetTable = URL_QUERY.map((action, octet) => (octet === 0x23 ? 1 : action));

function next(component: Component, character: string): Component {
  if (component === 'fragment' || character === '#') return component === 'authority' ? component : 'fragment';
  if (component === 'path') return character === '?' ? 'parameter' : 'path';
  if (component === 'parameter') return character === '=' ? 'value' : 'parameter';
  if (component === 'value') return character === '&' ? 'parameter' : 'value';
  return component;
}

function escapedUri(variables: Variables): string {
  const path = withSlash(translate(variables.path, URL_PATH));
  return variables.query === null ? path : `${path}?${translate(variables.query, URL_QUERY)}`;
}

/** The target "*" (RFC 9112 §3.2.4) is no path; glued to a host it would become a part of it. */
function withSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

function mistake(message: string, index: number): TemplateMistake {
  return { ok: false, message, index };
}
