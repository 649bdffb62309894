import { type StartTag, XmlTags, type XmlToken } from './xml-tags.ts';

/** An element's name without its prefix, and the namespace that it is in; `''` for none. */
export interface XmlName {
  readonly local: string;
  readonly namespace: string;
}

/** What the beginning of an XML document says. */
export interface XmlOutline {
  readonly root: XmlName;
  /**
   * The first child of the body of a SOAP envelope, which says what is asked for. `none`: the document is no envelope, or its body is empty;
   * `cut`: the text ends before it; `bad`: what stands before it is not XML.
   */
  readonly operation: XmlName | 'none' | 'cut' | 'bad';
}

/** SOAP 1.1 §3 and SOAP 1.2 part 1 §5. */
const SOAP: ReadonlySet<string> = new Set([
  'http://schemas.xmlsoap.org/soap/envelope/',
  'http://www.w3.org/2003/05/soap-envelope',
]);

/** The outline of the document that `text` begins: no more than its first elements is looked at. Linear; never throws. */
export function outlineOf(text: string): XmlOutline | 'cut' | 'bad' {
  const tags = new XmlTags(text);
  const first = tags.next();
  if (first.kind !== 'start') return first.kind === 'cut' ? 'cut' : 'bad';
  const scope = [first.namespaces];
  const root = nameOf(first, scope);
  if (root === null) return 'bad';
  const isEnvelope = root.local === 'Envelope' && SOAP.has(root.namespace);
  return { root, operation: isEnvelope && !first.isEmpty ? operationIn(tags, scope, root.namespace) : 'none' };
}

type Scope = readonly (ReadonlyMap<string, string> | null)[];

function operationIn(tags: XmlTags, scope: Scope, namespace: string): XmlOutline['operation'] {
  for (;;) {
    const child = tags.next();
    if (child.kind !== 'start') return child.kind === 'end' ? 'none' : child.kind;
    const within = [...scope, child.namespaces];
    const name = nameOf(child, within);
    if (name === null) return 'bad';
    if (name.local === 'Body' && name.namespace === namespace) return child.isEmpty ? 'none' : firstIn(tags, within);
    // The header, which may be deep.
    const end = child.isEmpty ? null : skipElement(tags);
    if (end !== null) return end;
  }
}

function firstIn(tags: XmlTags, scope: Scope): XmlOutline['operation'] {
  const child = tags.next();
  if (child.kind !== 'start') return child.kind === 'end' ? 'none' : child.kind;
  return nameOf(child, [...scope, child.namespaces]) ?? 'bad';
}

/** From behind its start tag to behind its end tag; `null` if that is there. */
function skipElement(tags: XmlTags): 'cut' | 'bad' | null {
  for (let depth = 1; depth > 0; ) {
    const token: XmlToken = tags.next();
    if (token.kind === 'cut' || token.kind === 'bad') return token.kind;
    if (token.kind === 'end') depth -= 1;
    else if (token.kind === 'start' && !token.isEmpty) depth += 1;
  }
  return null;
}

/** Namespaces in XML 1.0 §6: the innermost declaration counts. `null` for a prefix that is not declared, or a name with two. */
function nameOf({ name }: StartTag, scope: Scope): XmlName | null {
  const colon = name.indexOf(':');
  const prefix = colon === -1 ? '' : name.slice(0, colon);
  const local = name.slice(colon + 1);
  if (local === '' || colon === 0 || local.includes(':')) return null;
  for (const namespaces of scope.toReversed()) {
    const namespace = namespaces?.get(prefix);
    if (namespace !== undefined) return namespace === '' && prefix !== '' ? null : { local, namespace };
  }
  return prefix === '' ? { local, namespace: '' } : null;
}
