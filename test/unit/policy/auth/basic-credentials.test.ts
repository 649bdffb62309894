import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { basicCredentials } from '../../../../src/policy/auth/basic-credentials.ts';

function of(...values: readonly string[]) {
  return basicCredentials(values.flatMap((value) => ['authorization', value]));
}

function encoded(text: string, encoding: BufferEncoding = 'utf8'): string {
  return Buffer.from(text, encoding).toString('base64');
}

describe('credentials of HTTP Basic (RFC 7617)', () => {
  test('are a user and a password, which may have colons', () => {
    expect(of(`Basic ${encoded('ann:a:b:')}`)).toEqual({ kind: 'given', user: 'ann', password: 'a:b:' });
    expect(of(`Basic ${encoded(':')}`)).toEqual({ kind: 'given', user: '', password: '' });
  });

  test('are UTF-8, as octets', () => {
    expect(of(`Basic ${encoded('zoë:pässword')}`)).toEqual({
      ...{ kind: 'given', user: 'zo\xc3\xab', password: 'p\xc3\xa4ssword' },
    });
  });

  test.each(['basic', 'BASIC', 'bAsIc'])('the scheme may be written %s (RFC 9110 §11.1)', (scheme) => {
    expect(of(`${scheme}   ${encoded('a:b')} `).kind).toBe('given');
  });

  test.each([[[]], [['Bearer abc']], [['']], [['Basically abc']], [['Negotiate abc', 'Bearer abc']]])(
    'there are none in %j',
    (values) => {
      expect(of(...(values as readonly string[])).kind).toBe('none');
    },
  );

  test.each([
    ['no text', 'Basic'],
    ['no colon', `Basic ${encoded('ann')}`],
    ['no base64', 'Basic ann:secret'],
    ['the other alphabet', 'Basic YTo_Pz8_'],
    ['blanks within', `Basic ${encoded('ann:secret')} x`],
    ['one character too many', 'Basic YTpiY'],
    ['padding within', 'Basic YTpi=YTpi'],
    ['a list', `Basic ${encoded('a:b')}, Basic ${encoded('a:b')}`],
    ['a zero', `Basic ${encoded('ann\0:b')}`],
    ['a line break in the password', `Basic ${encoded('ann:b\nX-Evil: 1')}`],
    ['a DEL', `Basic ${encoded('ann:\x7f')}`],
    ['Latin-1', `Basic ${encoded('zo\xeb:b', 'latin1')}`],
    ['an overlong form', `Basic ${encoded('\xc0\xafa:b', 'latin1')}`],
    ['more than 8 KiB', `Basic ${encoded(`ann:${'x'.repeat(6200)}`)}`],
    ['octets that are none', 'Basic \xe9\xe9\xe9\xe9'],
  ])('%s is malformed', (_what, value) => {
    expect(of(value).kind).toBe('malformed');
  });

  test('several fields are malformed, whichever is first', () => {
    const one = `Basic ${encoded('a:b')}`;
    expect([of(one, one).kind, of(one, 'Bearer x').kind, of('Bearer x', one).kind]).toEqual(Array(3).fill('malformed'));
  });

  test('padding may be missing, and 8 KiB are enough', () => {
    expect(of(`Basic ${encoded('ann:bc').replace(/=+$/, '')}`).kind).toBe('given');
    expect(of(`Basic ${encoded(`ann:${'x'.repeat(6100)}`)}`).kind).toBe('given');
  });

  test('whatever comes, nothing is given that has a control character or is no UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (octets) => {
        const read = of(`Basic ${Buffer.from(octets).toString('base64')}`);
        if (read.kind !== 'given') return;
        const text = `${read.user}:${read.password}`;
        expect(text).toBe(Buffer.from(octets).toString('latin1'));
        expect(text).not.toMatch(/[\0-\x1f\x7f]/);
        expect(Buffer.from(text, 'latin1').toString('utf8')).not.toContain('\ufffd');
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});
