import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { xmlText } from '../../../../src/routing/body/texts.ts';
import { outlineOf } from '../../../../src/routing/body/xml.ts';

const SOAP_11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const SOAP_12 = 'http://www.w3.org/2003/05/soap-envelope';

function said(text: string): string {
  const outline = outlineOf(text);
  if (typeof outline === 'string') return outline;
  const { root, operation } = outline;
  const asked = typeof operation === 'string' ? operation : `{${operation.namespace}}${operation.local}`;
  return `{${root.namespace}}${root.local} ${asked}`;
}

const envelope = (inner: string, namespace = SOAP_11): string =>
  `<s:Envelope xmlns:s="${namespace}">${inner}</s:Envelope>`;

describe('the root of an XML document', () => {
  test.each([
    ['<a/>', '{}a none'],
    ['<a></a>', '{}a none'],
    ['<a', 'cut'],
    ['<a b="1"', 'cut'],
    ['<a b="1', 'cut'],
    ['<a>', '{}a none'],
    ['<order xmlns="urn:x" id=\'>\'>', '{urn:x}order none'],
    ['<x:order xmlns:x="urn:x" xmlns:y="urn:y">', '{urn:x}order none'],
    ['<x:order xmlns:x = "urn:x&amp;y&#65;&#x42;">', '{urn:x&yAB}order none'],
    ['\n<?xml version="1.0"?>\n<!-- <b> --><?pi <c> ?>\n<a>', '{}a none'],
    ['<!DOCTYPE a><a>', '{}a none'],
    ['<!DOCTYPE a SYSTEM "x>y"><a>', '{}a none'],
    ['<!DOCTYPE a [ <!ENTITY x "]>"> <!-- ]> \' --> <?p ]> ?> <!ELEMENT a (b)> ]> <a>', '{}a none'],
    ['<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]><lolz>&lol2;</lolz>', '{}lolz none'],
    ['<größe>', '{}größe none'],
    ['', 'cut'],
    ['  ', 'cut'],
    ['<', 'cut'],
    ['<!-', 'cut'],
    ['<!-- x', 'cut'],
    ['<!DOCTYPE a [', 'cut'],
    ['<?xml', 'cut'],
  ])('%j: %s', (text, expected) => {
    expect(said(text)).toBe(expected);
  });

  test.each([
    'text <a>',
    '{"a":1}',
    '</a>',
    '<![CDATA[x]]><a>',
    '<!ELEMENT a><a>',
    '<a b>',
    '<a b=1>',
    '<a b="<">',
    '<a/b>',
    '< a>',
    '<x:a>',
    '<:a>',
    '<a:>',
    '<a:b:c xmlns:a="u">',
    '<x:a xmlns:x="">',
    '<a xmlns="u" xmlns="v">',
    '<a xmlns="&x;">',
    '<a xmlns="a&b">',
  ])('%j is none', (text) => {
    expect(said(text)).toBe('bad');
  });
});

describe('what a SOAP envelope asks for', () => {
  test.each([
    [envelope('<s:Body><m:Get xmlns:m="urn:m"/></s:Body>'), '{urn:m}Get'],
    [envelope('<s:Body><m:Get xmlns:m="urn:m"/></s:Body>', SOAP_12), '{urn:m}Get'],
    [envelope('<s:Body><Get xmlns="urn:m"><Put/></Get></s:Body>'), '{urn:m}Get'],
    [envelope('<s:Header/><s:Body><Get/></s:Body>'), '{}Get'],
    [
      envelope(
        '<s:Header><a><Body/></a><s:x><!-- </s:Header> --></s:x></s:Header> <s:Body> <!-- <No/> --> <Get/></s:Body>',
      ),
      '{}Get',
    ],
    [envelope('<s:Header><![CDATA[</s:Header><s:Body><No/>]]></s:Header><s:Body><Get/>'), '{}Get'],
    [envelope('<s:Header xmlns="urn:h"/><s:Body><Get/>'), '{}Get'],
    [envelope('<s:Body/>'), 'none'],
    [envelope('<s:Body> text </s:Body>'), 'none'],
    [envelope('<Body><Get/></Body>'), 'none'],
    [envelope('<x:Body xmlns:x="urn:x"><Get/></x:Body>'), 'none'],
    [envelope(''), 'none'],
    ['<Envelope><Body><Get/></Body></Envelope>', 'none'],
    [`<s:Envelope xmlns:s="${SOAP_11}"><s:Header>`, 'cut'],
    [`<s:Envelope xmlns:s="${SOAP_11}"><s:Body>`, 'cut'],
    [`<s:Envelope xmlns:s="${SOAP_11}"><s:Body><Ge`, 'cut'],
    [envelope('<s:Body><m:Get/></s:Body>'), 'bad'],
    [envelope('<s:Body><>'), 'bad'],
  ])('%j: %s', (text, expected) => {
    expect(said(text).replace(/^\S+ /, '')).toBe(expected);
  });

  test('depth and repetition cost no more than their length', () => {
    const deep = `<s:Header>${'<a b="c">'.repeat(30_000)}${'</a>'.repeat(30_000)}</s:Header><s:Body><Get/>`;
    expect(said(envelope(deep))).toBe(`{${SOAP_11}}Envelope {}Get`);
    expect(said('<!--'.repeat(50_000))).toBe('cut');
    expect(said(`<a ${'b="c" '.repeat(50_000)}`)).toBe('cut');
    expect(said(`<!DOCTYPE a [${'<!ENTITY a "&b;">'.repeat(20_000)}`)).toBe('cut');
  });

  test('never throws, and a cut text never says anything else than the whole one', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      '!',
      '--',
      '?',
      '[',
      ']',
      '<![CDATA[',
      '<!DOCTYPE',
      '<!--',
      '-->',
      'a',
      ':',
      '=',
      '"',
      "'",
      ' ',
      '&',
      'xmlns',
      '<s:Body>',
      '<s:Header>',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, isSoap) => {
        const text = isSoap ? envelope(pieces.join('')) : pieces.join('');
        const whole = said(text);
        for (let end = 0; end < text.length; end += 1) {
          const part = said(text.slice(0, end));
          if (!part.endsWith('cut')) expect(part).toBe(whole);
        }
      }),
      { seed: 20_261_121, numRuns: 150 },
    );
  });
});

describe('the encoding of an XML document (RFC 7303 §3)', () => {
  const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1');

  test.each([
    ['UTF-8', Buffer.from('<é/>'), null, '<é/>'],
    ['UTF-8 with its mark', Buffer.from('\uFEFF<é/>'), 'iso-8859-1', '<é/>'],
    ['UTF-16 with its mark', Buffer.from('\uFEFF<é/>', 'utf16le'), null, '<é/>'],
    ['UTF-16 the other way round', Buffer.from('\uFEFF<é/>', 'utf16le').swap16(), 'utf-8', '<é/>'],
    ['what the type says', octets('<é/>'), 'ISO-8859-1', '<é/>'],
    [
      'what it says itself',
      octets('<?xml version="1.0" encoding=\'latin1\'?><é/>'),
      null,
      '<?xml version="1.0" encoding=\'latin1\'?><é/>',
    ],
    ['a character that is cut', Buffer.from('<é/>').subarray(0, 2), null, '<'],
  ])('%s', (_, bytes, charset, expected) => {
    expect(xmlText(bytes, charset)).toBe(expected);
  });

  test.each([
    ['bytes that are none of it', octets('<é/>'), null],
    ['an encoding that is not known', octets('<a/>'), 'ebcdic'],
    ['one that it names itself', octets('<?xml version="1.0" encoding="shift_jis"?><a/>'), null],
  ])('%s: nothing', (_, bytes, charset) => {
    expect(xmlText(bytes, charset)).toBeNull();
  });
});
