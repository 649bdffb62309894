import { describe, expect, test } from 'vitest';
import { mostWanted } from '../../../src/http/accept.ts';

const OFFERS = ['application/json', 'application/problem+json', 'text/html', 'text/plain'];

describe('Accept (RFC 9110 §12.5.1)', () => {
  test.each([
    [null, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['text/html', 'text/html'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', 'text/html'],
    ['application/json, text/plain, */*', 'application/json'],
    ['text/plain, application/json', 'text/plain'],
    ['text/html;q=0.1, application/json;q=0.2', 'application/json'],
    ['text/html;q=0.9, application/json;q=0.8', 'text/html'],
    ['application/problem+json', 'application/problem+json'],
    ['application/problem+json, application/json;q=0.9', 'application/problem+json'],
    ['text/*', 'text/html'],
    ['text/*, text/html;q=0.1', 'text/plain'],
    // The most precise range says how much, whatever the others would give.
    ['*/*, application/json;q=0, application/problem+json;q=0', 'text/html'],
    ['*/*;q=0.5, text/plain;q=0.5', 'text/plain'],
    ['TEXT/HTML;Q=1', 'text/html'],
    ['text/html; charset=utf-8; q=0.3, text/plain;q=0.2', 'text/html'],
    ['text/html ; q=0.3\t, text/plain;q=0.4', 'text/plain'],
    ['image/png', undefined],
    ['*/*;q=0', undefined],
    ['text/html;q=0', undefined],
    // What is malformed says nothing.
    ['text/html;q=2, text/plain', 'text/plain'],
    ['text/html;q=0.1234, text/plain;q=0.1', 'text/plain'],
    ['*/html, text/plain', 'text/plain'],
    ['text, /, text/, ;;;, ,,text/plain', 'text/plain'],
    ['nonsense', 'application/json'],
    [`${'image/x,'.repeat(64)}text/html`, undefined],
  ])('%j is answered with %s', (accept, expected) => {
    expect(OFFERS[mostWanted(OFFERS, accept)]).toBe(expected);
  });

  test('nothing is wanted of nothing', () => {
    expect(mostWanted([], null)).toBe(-1);
    expect(mostWanted([], '*/*')).toBe(-1);
  });
});
