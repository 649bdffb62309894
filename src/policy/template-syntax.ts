/** What stands in a template, before anything is known about variables. `index` counts characters from its start. */
export type Token =
  | { readonly kind: 'text'; readonly text: string; readonly index: number }
  | { readonly kind: 'variable'; readonly name: string; readonly index: number };

export type Parsed =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly message: string; readonly index: number };

/** `{name}` is a variable, `{{` and `}}` are braces, and a brace that is neither is a mistake. */
export function parseTemplate(text: string): Parsed {
  const tokens: Token[] = [];
  let plain = '';
  let from = 0;
  for (let i = 0; i < text.length; ) {
    const character = text[i] as string;
    if ((character === '{' || character === '}') && text[i + 1] === character) {
      plain += character;
      i += 2;
    } else if (character === '{') {
      const end = text.indexOf('}', i);
      const name = text.slice(i + 1, end);
      if (end < 0 || name.includes('{')) return mistake('"{" without "}"; a literal brace is written "{{"', i);
      if (name === '') return mistake('"{}" names no variable; literal braces are written "{{}}"', i);
      pushText(tokens, plain, from);
      tokens.push({ kind: 'variable', name, index: i });
      plain = '';
      i = end + 1;
      from = i;
    } else if (character === '}') return mistake('"}" without "{"; a literal brace is written "}}"', i);
    else {
      plain += character;
      i += 1;
    }
  }
  pushText(tokens, plain, from);
  return { ok: true, tokens };
}

const BODY_VARIABLE = /\{(\{?)([A-Za-z][A-Za-z0-9_.-]*)\}(\}?)/g;

/**
 * The same for a response body, which is often JSON, CSS or a script and full of braces: only `{name}` with nothing else
 * between the braces is a variable, `{{name}}` is that text with one pair of braces, every other brace is itself.
 */
export function parseBodyTemplate(text: string): Parsed {
  const tokens: Token[] = [];
  let plain = '';
  let from = 0;
  for (const found of text.matchAll(BODY_VARIABLE)) {
    const [whole, opening = '', name = '', closing = ''] = found;
    const start = found.index + opening.length;
    plain += text.slice(from, start);
    from = found.index + whole.length - closing.length;
    if (opening !== '' && closing !== '') {
      plain += `${name}}`;
      from += 1;
      continue;
    }
    pushText(tokens, plain, start - plain.length);
    tokens.push({ kind: 'variable', name, index: start });
    plain = '';
  }
  plain += text.slice(from);
  pushText(tokens, plain, text.length - plain.length);
  return { ok: true, tokens };
}

function pushText(tokens: Token[], text: string, index: number): void {
  if (text !== '') tokens.push({ kind: 'text', text, index });
}

function mistake(message: string, index: number): Parsed {
  return { ok: false, message, index };
}
