import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SubstitutedBody } from '../../../../src/policy/substitute/substituted-body.ts';
import { BufferSink } from '../../../kit/buffer-sink.ts';

type Rule = readonly [find: string, replace: string];

function needles(rules: readonly Rule[]) {
  return rules.map(([find, replace]) => ({ find: Buffer.from(find), replacement: Buffer.from(replace) }));
}

function through(rules: readonly Rule[], pieces: readonly string[], takes = Number.POSITIVE_INFINITY): string {
  const into = new BufferSink({ takes });
  const body = new SubstitutedBody(into, needles(rules));
  const waiting = pieces.map((piece) => Buffer.from(piece));
  const state = { room: true };
  body.onDrain = () => {
    state.room = true;
  };
  while (waiting.length > 0 || !into.ended) {
    if (!state.room) into.drain();
    else if (waiting.length > 0) state.room = body.data(waiting.shift() as Buffer);
    else {
      body.end(null);
      while (!into.ended) into.drain();
    }
  }
  return Buffer.from(into.text, 'latin1').toString();
}

/** All at once: of several that begin at one place, the first of the list. */
function wholeReplaced(rules: readonly Rule[], text: string): string {
  const escaped = rules.map(([find]) => find.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const replacements = new Map([...rules].reverse());
  return text.replaceAll(new RegExp(escaped.join('|'), 'g'), (found) => replacements.get(found) ?? '');
}

const letters = (maxLength: number, minLength = 0) =>
  fc.array(fc.constantFrom('a', 'b', 'é'), { minLength, maxLength }).map((all) => all.join(''));

describe('texts that are replaced in a body', () => {
  test('one text is what String.replaceAll makes of the whole body, wherever the pieces begin and end', () => {
    fc.assert(
      fc.property(letters(5, 1), fc.constantFrom('', 'a', 'x', 'ab'), fc.array(letters(6)), (find, replace, pieces) => {
        expect(through([[find, replace]], pieces)).toBe(pieces.join('').replaceAll(find, () => replace));
      }),
      { seed: 3, numRuns: 2_000 },
    );
  });

  test('several are what one pass over the whole body makes, whatever the client takes at once', () => {
    const rule = fc.tuple(letters(4, 1), fc.constantFrom('', '1', '22', 'ab'));
    const rules = fc.uniqueArray(rule, { minLength: 1, maxLength: 4, selector: ([find]) => find });
    fc.assert(
      fc.property(rules, fc.array(letters(8), { maxLength: 8 }), fc.constantFrom(1, 2, 99), (all, pieces, takes) => {
        expect(through(all, pieces, takes)).toBe(wholeReplaced(all, pieces.join('')));
      }),
      { seed: 3, numRuns: 2_000 },
    );
  });

  test('every split of a body gives the same', () => {
    const text = 'xaababcabx';
    const rules: readonly Rule[] = [
      ['abc', '<1>'],
      ['ab', '<2>'],
      ['aab', '<3>'],
    ];
    const whole = wholeReplaced(rules, text);
    for (let cuts = 0; cuts < 2 ** (text.length - 1); cuts += 1) {
      const pieces: string[] = [''];
      for (let i = 0; i < text.length; i += 1) {
        pieces.push(`${pieces.pop()}${text[i]}`);
        if ((cuts >> i) % 2 === 1) pieces.push('');
      }
      expect(through(rules, pieces)).toBe(whole);
    }
  });

  test('no more is held back than what may be the begin of one', () => {
    const into = new BufferSink();
    const body = new SubstitutedBody(into, needles([['needle', 'thread']]));
    body.data(Buffer.from('hay, nee'));
    expect(into.text).toBe('hay, ');
    body.data(Buffer.from('d no'));
    expect(into.text).toBe('hay, need no');
    body.data(Buffer.from(' needl'));
    body.data(Buffer.from('e, n'));
    expect(into.text).toBe('hay, need no thread, ');
    body.end(null);
    expect([into.text, into.ended]).toEqual(['hay, need no thread, n', true]);
  });

  test('a body that becomes a thousand times as large is made as fast as it is taken, and no faster', () => {
    const into = new BufferSink({ takes: 1 });
    const body = new SubstitutedBody(into, needles([['a', 'b'.repeat(16_384)]]));
    expect(body.data(Buffer.from('a'.repeat(1_000)))).toBe(false);
    expect(into.text.length).toBe(65_536);
    into.drain();
    expect(into.text.length).toBe(131_072);
    body.end(null);
    while (!into.ended) into.drain();
    expect(into.text.length).toBe(16_384_000);
  });

  test.each([0xfeff, 0xfffe])('what begins with the mark %i of UTF-16 passes as it is', (mark) => {
    const into = new BufferSink();
    const body = new SubstitutedBody(into, needles([['a', 'b']]));
    body.data(Buffer.from([mark >> 8]));
    body.data(Buffer.from([mark & 255]));
    body.data(Buffer.from('aaa'));
    body.end(null);
    expect(into.text.endsWith('aaa')).toBe(true);
  });

  test('stopped, it says nothing more', () => {
    const into = new BufferSink();
    const body = new SubstitutedBody(into, needles([['needle', 'x']]));
    body.data(Buffer.from('need'));
    body.stop();
    body.data(Buffer.from('le'));
    body.end(null);
    expect([into.text, into.ended]).toEqual(['', false]);
  });
});
