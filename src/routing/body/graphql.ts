export type OperationType = 'query' | 'mutation' | 'subscription';

/** One operation that a client asks for. */
export interface GraphqlOperation {
  /** `null` where the document is not sent, only named by its hash (a persisted query). */
  readonly type: OperationType | null;
  /** `null` for an anonymous one. */
  readonly name: string | null;
  /** Names, not aliases, of the fields at its top, those of its fragments included. */
  readonly fields: ReadonlySet<string>;
}

/**
 * The operation that a GraphQL document (specification of October 2021, §2) is sent for: the one that is named, or its only one; `null`
 * where there is no such one, or the text is not a document of operations. A scanner, not a parser: it knows names, strings, comments and
 * brackets, so that nothing in a string or a comment is taken for a field, and does not ask whether the rest is valid. Linear in
 * the text, whatever its depth; never throws.
 */
export function operationIn(text: string, name: string | null): GraphqlOperation | null {
  const definitions = new DocumentScanner(text).definitions();
  if (definitions === null) return null;
  const operations = definitions.filter(({ kind }) => kind !== 'fragment');
  const [operation, another] = name === null ? operations : operations.filter((one) => one.name === name);
  if (operation === undefined || operation.kind === 'fragment' || (name === null && another !== undefined)) return null;
  return { type: operation.kind, name: operation.name, fields: fieldsOf(operation, definitions) };
}

/** An operation or a fragment, and what its selection set has at its top. */
interface Definition {
  readonly kind: OperationType | 'fragment';
  readonly name: string | null;
  readonly fields: string[];
  readonly spreads: string[];
}

/** Fragments may lead to each other, also in a circle. */
function fieldsOf(operation: Definition, definitions: readonly Definition[]): ReadonlySet<string> {
  const fragments = new Map<string | null, Definition>();
  for (const one of definitions) if (one.kind === 'fragment') fragments.set(one.name, one);
  const fields = new Set(operation.fields);
  const left = [...operation.spreads];
  for (let spread = left.pop(); spread !== undefined; spread = left.pop()) {
    const fragment = fragments.get(spread);
    if (fragment === undefined) continue;
    fragments.delete(spread);
    for (const field of fragment.fields) fields.add(field);
    for (const further of fragment.spreads) left.push(further);
  }
  return fields;
}

/** `''` for the end, `bad` for what is no token; a string is `"`, a number or anything else that means nothing here `#`. */
type Token = string;

class DocumentScanner {
  readonly #text: string;
  #at = 0;
  /** Of the last token. */
  #start = 0;

  constructor(text: string) {
    this.#text = text;
  }

  definitions(): readonly Definition[] | null {
    const definitions: Definition[] = [];
    for (let token = this.#next(); token !== ''; token = this.#next()) {
      // A description.
      if (token === '"') continue;
      const definition = this.#definition(token);
      if (definition === null) return null;
      definitions.push(definition);
    }
    return definitions.length === 0 ? null : definitions;
  }

  #definition(first: Token): Definition | null {
    if (first === '{') return this.#selection({ kind: 'query', name: null, fields: [], spreads: [] });
    const kind = this.#word(first);
    if (kind !== 'query' && kind !== 'mutation' && kind !== 'subscription' && kind !== 'fragment') return null;
    let token = this.#next();
    const name = this.#word(token);
    if (name !== null) token = this.#next();
    if (kind === 'fragment' && (name === null || this.#word(token) !== 'on')) return null;
    while (token !== '{') {
      if (token === '(' ? !this.#skipArguments() : token !== '@' && this.#word(token) === null) return null;
      token = this.#next();
    }
    return this.#selection({ kind, name, fields: [], spreads: [] });
  }

  /** From behind its `{` to its `}`. What stands in an inline fragment stands at the top as well. */
  #selection(definition: Definition): Definition | null {
    let inline = 1;
    let below = 0;
    /** What a `{` would belong to. */
    let last: 'field' | 'inline' | 'spread' | null = null;
    for (;;) {
      const token = this.#next();
      if (token === '' || token === 'bad') return null;
      if (token === '(') {
        if (!this.#skipArguments()) return null;
      } else if (token === '}') {
        if (below > 0) below -= 1;
        else inline -= 1;
        if (inline === 0) return definition;
        last = null;
      } else if (token === '{') {
        if (below > 0 || last === 'field') below += 1;
        else if (last === 'inline') inline += 1;
        else return null;
        last = null;
      } else if (below === 0) {
        last = token === '@' ? this.#directive(last) : this.#selected(token, definition);
        if (last === null) return null;
      }
    }
  }

  #directive(last: 'field' | 'inline' | 'spread' | null): typeof last {
    return this.#word(this.#next()) === null ? null : last;
  }

  #selected(token: Token, definition: Definition): 'field' | 'inline' | 'spread' | null {
    const word = this.#word(token);
    if (word !== null) {
      const field = this.#peek() === ':' ? this.#aliased() : word;
      if (field === null) return null;
      definition.fields.push(field);
      return 'field';
    }
    if (token !== '...') return null;
    const next = this.#peek();
    if (next === '{' || next === '@') return 'inline';
    const name = this.#word(this.#next());
    if (name === 'on') return this.#word(this.#next()) === null ? null : 'inline';
    if (name === null) return null;
    definition.spreads.push(name);
    return 'spread';
  }

  #aliased(): string | null {
    this.#next();
    return this.#word(this.#next());
  }

  /** From behind a `(`. */
  #skipArguments(): boolean {
    for (let depth = 1; depth > 0; ) {
      const token = this.#next();
      if (token === '' || token === 'bad') return false;
      if (token === '(') depth += 1;
      else if (token === ')') depth -= 1;
    }
    return true;
  }

  // ---- tokens

  /** The last token's text if it is a name. */
  #word(token: Token): string | null {
    return token === 'name' ? this.#text.slice(this.#start, this.#at) : null;
  }

  #peek(): Token {
    const [at, start] = [this.#at, this.#start];
    const token = this.#next();
    this.#at = at;
    this.#start = start;
    return token;
  }

  #next(): Token {
    const text = this.#text;
    this.#skipIgnored();
    this.#start = this.#at;
    if (this.#at >= text.length) return '';
    const code = text.charCodeAt(this.#at);
    if (isNameStart(code)) {
      while (isNameStart(text.charCodeAt(this.#at)) || isDigit(text.charCodeAt(this.#at))) this.#at += 1;
      return 'name';
    }
    if (code === 0x22) return this.#string();
    if (text.startsWith('...', this.#at)) {
      this.#at += 3;
      return '...';
    }
    this.#at += 1;
    const char = text[this.#start] as string;
    if ('{}()@:'.includes(char)) return char;
    // Numbers, variables, lists, types: where they may stand they mean nothing here.
    return isDigit(code) || '[]!=|&$-+.'.includes(char) ? '#' : 'bad';
  }

  #string(): Token {
    const text = this.#text;
    if (text.startsWith('"""', this.#at)) return this.#blockString();
    for (this.#at += 1; this.#at < text.length; this.#at += 1) {
      const code = text.charCodeAt(this.#at);
      if (code === 0x0a || code === 0x0d) return 'bad';
      if (code === 0x5c) this.#at += 1;
      else if (code === 0x22) {
        this.#at += 1;
        return '"';
      }
    }
    return 'bad';
  }

  /** Only `\"""` is an escape there. */
  #blockString(): Token {
    let from = this.#at + 3;
    for (;;) {
      const end = this.#text.indexOf('"""', from);
      if (end === -1) {
        this.#at = this.#text.length;
        return 'bad';
      }
      from = end + 3;
      if (this.#text[end - 1] === '\\') continue;
      this.#at = from;
      return '"';
    }
  }

  #skipIgnored(): void {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code === 0x23) while (this.#at < text.length && !isLineEnd(text.charCodeAt(this.#at))) this.#at += 1;
      else if (isIgnored(code)) this.#at += 1;
      else return;
    }
  }
}

function isNameStart(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLineEnd(code: number): boolean {
  return code === 0x0a || code === 0x0d;
}

/** §2.1.1 to §2.1.5: byte order mark, blanks, line ends, commas. */
function isIgnored(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x2c || code === 0xfeff || isLineEnd(code);
}
