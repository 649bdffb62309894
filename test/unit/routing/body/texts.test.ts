import fc from 'fast-check';
import { expect, test } from 'vitest';
import { percentDecoded } from '../../../../src/routing/body/texts.ts';

function byTheLanguage(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    // URIError
    return null;
  }
}

test('escapes are taken off as decodeURIComponent does, and what that refuses is refused', () => {
  const piece = fc.constantFrom(
    '%41',
    '%c3%a9',
    '%C3',
    '%a9',
    '%ed%a0%80',
    '%c0%af',
    '%f0%9f%98%80',
    '%',
    '%4',
    '%zz',
    'é',
    '😀',
    'a',
    '&',
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'grapheme' }).map((one) => encodeURIComponent(one)),
  );
  fc.assert(
    fc.property(text, (one) => {
      expect(percentDecoded(one)).toBe(byTheLanguage(one));
    }),
    { seed: 7, numRuns: 1_000 },
  );
});
