import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatTraceparent, parseTraceparent, traceparentIn, tracestateIn } from '../../../src/http/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

describe('traceparent (W3C Trace Context Level 2 §3.2)', () => {
  test.each([
    [`00-${TRACE}-${PARENT}-01`, 1],
    [`00-${TRACE}-${PARENT}-00`, 0],
    [`00-${TRACE}-${PARENT}-03`, 3],
    // Unknown flags are not passed on.
    [`00-${TRACE}-${PARENT}-ff`, 3],
    [`00-${TRACE}-${PARENT}-08`, 0],
    // Higher versions are believed in what this one knows.
    [`01-${TRACE}-${PARENT}-01`, 1],
    [`cc-${TRACE}-${PARENT}-01-what-the-future-brings`, 1],
  ])('%s is valid', (value, flags) => {
    expect(parseTraceparent(value)).toEqual({ traceId: TRACE, parentId: PARENT, flags });
  });

  test.each([
    '',
    `ff-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE.slice(1)}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}0-01`,
    `00-${TRACE}-${PARENT}-1`,
    `00-${TRACE}-${PARENT}-01-more`,
    `00-${TRACE}-${PARENT}-01-`,
    `00_${TRACE}_${PARENT}_01`,
    ` 00-${TRACE}-${PARENT}-01`,
    `0-${TRACE}-${PARENT}-01`,
    `01-${TRACE}-${PARENT}-01.more`,
    `01-${TRACE}-${PARENT}-0x`,
    `.0-${TRACE}-${PARENT}-01`,
  ])('"%s" is invalid', (value) => {
    expect(parseTraceparent(value)).toBeNull();
  });

  test('several fields are as good as none, whatever they say', () => {
    const field = ['Traceparent', `00-${TRACE}-${PARENT}-01`];
    expect(traceparentIn([...field])?.traceId).toBe(TRACE);
    expect(traceparentIn([...field, ...field])).toBeNull();
    expect(traceparentIn([...field, 'TRACEPARENT', 'junk'])).toBeNull();
    expect(traceparentIn(['traceparent2', field[1] as string])).toBeNull();
  });

  test('what is written is read again as it was', () => {
    const hex = (length: number) =>
      fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((id) => /[^0]/.test(id));
    fc.assert(
      fc.property(hex(32), hex(16), fc.integer({ min: 0, max: 3 }), (traceId, parentId, flags) => {
        expect(parseTraceparent(formatTraceparent(traceId, parentId, flags))).toEqual({ traceId, parentId, flags });
      }),
      { seed: 20261121, numRuns: 200 },
    );
  });
});

describe('tracestate (§3.3)', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => `k${i}=v`);

  test.each([
    ['one member', ['rojo=00f067aa0ba902b7'], 'rojo=00f067aa0ba902b7'],
    ['several fields, in order', ['rojo=1', 'congo=2,other=3'], 'rojo=1,congo=2,other=3'],
    ['blanks and empty members', ['rojo=1 ,\t, congo=2', '', ','], 'rojo=1,congo=2'],
    ['a tenant, and blanks within a value', ['t61@rojo=a b'], 't61@rojo=a b'],
    ['the longest key and value', [`${'k'.repeat(256)}=${'v'.repeat(256)}`], `${'k'.repeat(256)}=${'v'.repeat(256)}`],
    ['32 members', many(32), many(32).join(',')],
    ['a key twice, which is not ours to mend', ['rojo=1,rojo=2'], 'rojo=1,rojo=2'],
  ])('%s', (_, fields, combined) => {
    expect(tracestateIn(fields.flatMap((value) => ['tracestate', value]))).toBe(combined);
  });

  test.each([
    ['no field', []],
    ['nothing but blanks', [' , ']],
    ['a member without a value', ['rojo=1,congo']],
    ['an empty value', ['rojo=']],
    ['a capital letter in a key', ['Rojo=1']],
    ['a key that begins with an underscore', ['_rojo=1']],
    ['a second equals sign', ['rojo=1=2']],
    ['a blank before the equals sign', ['rojo =1']],
    ['a character beyond ASCII', ['rojo=é']],
    ['too long a key', [`${'k'.repeat(257)}=v`]],
    ['too long a value', [`k=${'v'.repeat(257)}`]],
    ['33 members', many(33)],
  ])('%s: nothing of it', (_, fields) => {
    expect(tracestateIn(fields.flatMap((value) => ['tracestate', value]))).toBeNull();
  });

  test('takes no longer for blanks within a member than for other characters', () => {
    // Quadratic in them, this would take hours.
    expect(tracestateIn(['tracestate', `a=b,c=${' '.repeat(4_000_000)}d`])).toBeNull();
    expect(tracestateIn(['tracestate', ` \t a=b \t,${' '.repeat(4_000_000)}`])).toBe('a=b');
  });
});
