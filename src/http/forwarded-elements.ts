/** What is read of one `forwarded-element` (RFC 7239 §4); empty text for what it does not say, says twice, or says malformed. */
export interface ForwardedElement {
  readonly for: string;
  readonly host: string;
  readonly proto: string;
}

/** The elements of a Forwarded field, in order. Empty ones are left out (RFC 9110 §5.6.1.2). */
export function forwardedElements(field: string): readonly ForwardedElement[] {
  return splitOutsideQuotes(field, ',')
    .filter((element) => element.trim() !== '')
    .map((element) => {
      const pairs = splitOutsideQuotes(element, ';');
      return { for: parameterOf(pairs, 'for'), host: parameterOf(pairs, 'host'), proto: parameterOf(pairs, 'proto') };
    });
}

function parameterOf(pairs: readonly string[], name: string): string {
  let found = '';
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals === -1 || pair.slice(0, equals).trim().toLowerCase() !== name) continue;
    // RFC 7239 §4: each parameter at most once; of two, neither is believed.
    if (found !== '') return '';
    found = unquote(pair.slice(equals + 1).trim());
  }
  return found;
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  if (text.length < 2 || !text.endsWith('"')) return '';
  return text.slice(1, -1).replaceAll(/\\(.)/g, '$1');
}

function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (quoted && c === '\\') i += 1;
    else if (c === '"') quoted = !quoted;
    else if (c === separator && !quoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
