import { describe, expect, test } from 'vitest';
import { linkValues } from '../../../src/http/link.ts';

const read = (...values: readonly string[]) =>
  linkValues(values.flatMap((value) => ['Link', value])).map(({ text, rels }) => [text, ...rels]);

describe('Link (RFC 8288 §3)', () => {
  test.each<[string, string, readonly (readonly string[])[]]>([
    ['one link', '</a.css>; rel=preload; as=style', [['</a.css>; rel=preload; as=style', 'preload']]],
    ['a quoted relation', '</a>; rel="preload"', [['</a>; rel="preload"', 'preload']]],
    [
      'several relations',
      '</a>; rel="preload  MODULEPRELOAD"',
      [['</a>; rel="preload  MODULEPRELOAD"', 'preload', 'modulepreload']],
    ],
    [
      'several links',
      '</a>;rel=next, </b>;rel=prev',
      [
        ['</a>;rel=next', 'next'],
        ['</b>;rel=prev', 'prev'],
      ],
    ],
    ['a comma and a semicolon in a target', '</a,b;c>; rel=next', [['</a,b;c>; rel=next', 'next']]],
    [
      'both in a quoted string',
      '</a>; title="x, </b>; rel=prev\\""; rel=next',
      [['</a>; title="x, </b>; rel=prev\\""; rel=next', 'next']],
    ],
    [
      '§3.3 of two relations the first counts',
      '</a>; rel=next; rel=preload',
      [['</a>; rel=next; rel=preload', 'next']],
    ],
    ['no relation', '</a>; as=style', [['</a>; as=style']]],
    ['blanks around the equals sign', '</a>; REL = next', [['</a>; REL = next', 'next']]],
    ['empty members', ', ,</a>; rel=next,', [['</a>; rel=next', 'next']]],
    ['no target', 'rel=preload', []],
    ['a target without an end', '</a; rel=preload', []],
    ['a quote without an end', '</a>; rel="preload', [['</a>; rel="preload', '"preload']]],
    ['nothing', '', []],
  ])('%s', (_name, value, expected) => {
    expect(read(value)).toEqual(expected);
  });

  test('fields count together, and others not', () => {
    expect(read('</a>; rel=a', '</b>; rel=b')).toHaveLength(2);
    expect(linkValues(['X-Link', '</a>; rel=a', 'LINK', '</b>; rel=b'])).toHaveLength(1);
  });

  test('§3.2 an anchor is told', () => {
    expect(linkValues(['Link', '</a>; rel=preload; anchor="/b"'])[0]?.hasAnchor).toBe(true);
    expect(linkValues(['Link', '</a>; rel=preload; title="anchor=x"'])[0]?.hasAnchor).toBe(false);
  });
});
