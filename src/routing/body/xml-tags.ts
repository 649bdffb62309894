/** A start tag. */
export interface StartTag {
  readonly kind: 'start';
  /** As it is written: `soap:Body`. */
  readonly name: string;
  readonly isEmpty: boolean;
  /** Namespaces that it declares by prefix, `''` for the default one; `null` for none. */
  readonly namespaces: ReadonlyMap<string, string> | null;
}

/** `cut`: the text ends before anything can be said. `bad`: this is not XML. */
export type XmlToken = StartTag | { readonly kind: 'end' | 'cut' | 'bad' };

const END: XmlToken = { kind: 'end' };
const CUT: XmlToken = { kind: 'cut' };
const BAD: XmlToken = { kind: 'bad' };

const PREDEFINED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * The tags of an XML document (XML 1.0, fifth edition) one after the other. Comments, processing instructions, CDATA sections, text and
 * document types are passed over, and no entity is looked up, let alone expanded: what a document type declares is not known here. Linear
 * in the text in all, and no deeper for a deep document. It does not ask whether the document is valid.
 */
export class XmlTags {
  readonly #text: string;
  #at = 0;
  #rootSeen = false;

  constructor(text: string) {
    this.#text = text;
  }

  next(): XmlToken {
    const text = this.#text;
    for (;;) {
      const open = text.indexOf('<', this.#at);
      if (!this.#rootSeen && !isBlank(text, this.#at, open === -1 ? text.length : open)) return BAD;
      if (open === -1 || open + 1 === text.length) return CUT;
      this.#at = open;
      const token = this.#markup();
      if (token !== null) return token;
    }
  }

  /** `null` for what is passed over. */
  #markup(): XmlToken | null {
    const text = this.#text;
    switch (text[this.#at + 1]) {
      case '?':
        return this.#skipTo('?>', 2);
      case '/':
        return this.#skipTo('>', 2) ?? END;
      case '!':
        return this.#declaration();
      default:
        this.#rootSeen = true;
        return this.#startTag();
    }
  }

  #declaration(): XmlToken | null {
    if (this.#begins('<!--')) return this.#skipTo('-->', 4);
    if (this.#rootSeen && this.#begins('<![CDATA[')) return this.#skipTo(']]>', 9);
    if (!this.#rootSeen && this.#begins('<!DOCTYPE')) return this.#documentType();
    return this.#text.length - this.#at < 9 ? CUT : BAD;
  }

  #begins(markup: string): boolean {
    return this.#text.startsWith(markup, this.#at);
  }

  #skipTo(end: string, skipped: number): XmlToken | null {
    const at = this.#text.indexOf(end, this.#at + skipped);
    if (at === -1) return CUT;
    this.#at = at + end.length;
    return null;
  }

  /** To its `>`: quotes, comments and instructions may have one of their own, and so may declarations between brackets. */
  #documentType(): XmlToken | null {
    const text = this.#text;
    let isWithin = false;
    this.#at += 9;
    while (this.#at < text.length) {
      const char = text[this.#at] as string;
      if (char === '>' && !isWithin) {
        this.#at += 1;
        return null;
      }
      if (char === '[') isWithin = true;
      if (char === ']') isWithin = false;
      const closing = this.#begins('<!--')
        ? '-->'
        : this.#begins('<?')
          ? '?>'
          : char === '"' || char === "'"
            ? char
            : null;
      if (closing === null) this.#at += 1;
      else if (this.#skipTo(closing, closing === '-->' ? 4 : 1) !== null) return CUT;
    }
    return CUT;
  }

  #startTag(): XmlToken {
    const text = this.#text;
    this.#at += 1;
    const name = this.#name();
    if (name === '') return BAD;
    let namespaces: Map<string, string> | null = null;
    for (;;) {
      this.#skipBlanks();
      const char = text[this.#at];
      if (char === undefined) return CUT;
      if (char === '>') {
        this.#at += 1;
        return { kind: 'start', name, isEmpty: false, namespaces };
      }
      if (char === '/') {
        if (this.#at + 1 === text.length) return CUT;
        this.#at += 2;
        return text[this.#at - 1] === '>' ? { kind: 'start', name, isEmpty: true, namespaces } : BAD;
      }
      const attribute = this.#attribute();
      if (typeof attribute === 'string') return attribute === 'cut' ? CUT : BAD;
      const prefix = declaredPrefix(attribute.name);
      if (prefix === null) continue;
      const uri = resolved(attribute.value);
      if (uri === null || namespaces?.has(prefix) === true) return BAD;
      namespaces ??= new Map();
      namespaces.set(prefix, uri);
    }
  }

  #attribute(): { readonly name: string; readonly value: string } | 'cut' | 'bad' {
    const text = this.#text;
    const name = this.#name();
    this.#skipBlanks();
    if (this.#at === text.length) return 'cut';
    if (name === '' || text[this.#at] !== '=') return 'bad';
    this.#at += 1;
    this.#skipBlanks();
    const quote = text[this.#at];
    if (quote === undefined) return 'cut';
    if (quote !== '"' && quote !== "'") return 'bad';
    const start = this.#at + 1;
    const end = text.indexOf(quote, start);
    if (end === -1) {
      this.#at = text.length;
      return 'cut';
    }
    this.#at = end + 1;
    const value = text.slice(start, end);
    return value.includes('<') ? 'bad' : { name, value };
  }

  #name(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !isNameEnd(this.#text.charCodeAt(this.#at))) this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  #skipBlanks(): void {
    while (isBlankCode(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }
}

/** Namespaces in XML 1.0 §3: `''` of `xmlns`, `a` of `xmlns:a`, `null` of other attributes. */
function declaredPrefix(name: string): string | null {
  if (name === 'xmlns') return '';
  return name.startsWith('xmlns:') ? name.slice(6) : null;
}

/** With its character references; `null` for one to an entity that a document type would have to declare. */
function resolved(value: string): string | null {
  if (!value.includes('&')) return value;
  let isKnown = true;
  const text = value.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|([a-z]{1,4}));|&/g, (_, decimal, hex, name) => {
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    if (code <= 0x10ffff) return String.fromCodePoint(code);
    const char = name === undefined || !Object.hasOwn(PREDEFINED, name) ? undefined : PREDEFINED[name];
    isKnown &&= char !== undefined;
    return char ?? '';
  });
  return isKnown ? text : null;
}

function isBlank(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) if (!isBlankCode(text.charCodeAt(i))) return false;
  return true;
}

function isBlankCode(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** What no name has in it, among what may follow one or make a document none: blanks, `<`, `>`, `/`, `=`, quotes, `&`, `!`, `?`. */
function isNameEnd(code: number): boolean {
  if (code > 0x3f) return false;
  return code <= 0x20 || '<>/="\'&!?'.includes(String.fromCharCode(code));
}
