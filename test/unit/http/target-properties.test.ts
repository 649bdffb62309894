import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AcceptedTarget, canonicalizeTarget, type PathPolicy } from '../../../src/http/target.ts';

const policies: fc.Arbitrary<PathPolicy> = fc.record({
  dotSegments: fc.constantFrom('resolve', 'refuse'),
  duplicateSlashes: fc.constantFrom('merge', 'keep', 'refuse'),
  encodedSlash: fc.constantFrom('refuse', 'keep', 'decode'),
  backslash: fc.constantFrom('refuse', 'keep', 'slash'),
});

// Mostly what matters: separators, dots and escapes in every spelling, in any neighbourhood.
const pieces = [
  '/',
  '/',
  '/',
  '.',
  '.',
  '..',
  '%2e',
  '%2E',
  '%2f',
  '%2F',
  '\\',
  '%5c',
  '%5C',
  ';',
  '%3b',
  'a',
  '%61',
  'é',
  '%c3%A9',
];
const strays = ['%', '%4', '%zz', '%00', '%25', '%252e', '#', ' ', '?', ':', '@', '|', '[', '//host', 'B'];
const pathTexts = fc.array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...pieces) }, fc.constantFrom(...strays)), {
  maxLength: 14,
});
const targets = fc.oneof(
  { weight: 6, arbitrary: pathTexts.map((parts) => `/${parts.join('')}`) },
  fc.string({ unit: 'binary-ascii', maxLength: 20 }).map((text) => `/${text}`),
  fc.webPath().map((path) => `/${path}`),
);
// Without what is always refused, so that most runs get through.
const soundTargets = fc
  .array(
    fc.constantFrom('/', '/', '/', '.', '..', '%2e', '%2E', '%2f', '\\', '%5c', 'a', '%61', 'b', '%c3%a9', '%20', ':'),
    {
      maxLength: 14,
    },
  )
  .map((parts) => `/${parts.join('')}`);

function ifAccepted(target: string, policy: PathPolicy, check: (accepted: AcceptedTarget) => void): void {
  const result = canonicalizeTarget(target, policy);
  if (result.ok) check(result);
}

/** RFC 3986 §5.2.4 and the policies on a list of segments, written for the eye alone; `null` where it is refused. */
function bySegments(target: string, policy: PathPolicy): string | null {
  const decoded = target
    .replace(/%([0-9a-f]{2})/gi, (written, hex: string) => {
      const char = String.fromCharCode(Number.parseInt(hex, 16));
      return /[A-Za-z0-9._~-]/.test(char) ? char : written.toUpperCase();
    })
    .replaceAll('\\', '%5C')
    .replaceAll('%2F', policy.encodedSlash === 'decode' ? '/' : '%2F')
    .replaceAll('%5C', policy.backslash === 'slash' ? '/' : '%5C');
  if (policy.encodedSlash === 'refuse' && decoded.includes('%2F')) return null;
  if (policy.backslash === 'refuse' && decoded.includes('%5C')) return null;
  const [, ...segments] = decoded.split('/');
  if (policy.duplicateSlashes === 'refuse' && segments.slice(0, -1).includes('')) return null;
  if (policy.dotSegments === 'refuse' && segments.some((segment) => segment === '.' || segment === '..')) return null;
  const hidden = segments.filter((segment) => segment.includes('%')).flatMap((segment) => segment.split(/%2F|%5C/));
  if (hidden.some((part) => part === '.' || part === '..')) return null;
  const last = segments.at(-1) ?? '';
  const kept: string[] = [];
  for (const segment of last === '' ? segments.slice(0, -1) : segments) {
    if (segment === '..') kept.pop();
    else if (segment === '' && policy.duplicateSlashes === 'merge') continue;
    else if (segment !== '.') kept.push(segment);
    while (kept[0] === '') kept.shift();
  }
  const path = `/${kept.join('/')}`;
  return kept.length > 0 && ['', '.', '..'].includes(last) ? `${path}/` : path;
}

const lenient: PathPolicy = {
  dotSegments: 'resolve',
  duplicateSlashes: 'merge',
  encodedSlash: 'refuse',
  backslash: 'refuse',
};

describe('canonicalizeTarget, for any target and policy', () => {
  test('is idempotent', () => {
    fc.assert(
      fc.property(targets, policies, (target, policy) => {
        ifAccepted(target, policy, (first) => {
          const again = first.query === null ? first.path : `${first.path}?${first.query}`;
          expect(canonicalizeTarget(again, policy)).toEqual(first);
        });
      }),
      { numRuns: 3000 },
    );
  });

  test('leaves no dot segment, however it was written', () => {
    fc.assert(
      fc.property(targets, policies, (target, policy) => {
        ifAccepted(target, policy, ({ path }) => {
          const seenByAnyone = path.replace(/%2e/gi, '.').replace(/%2f|%5c|\\/gi, '/');
          for (const segment of seenByAnyone.split('/')) expect(segment).not.toMatch(/^\.\.?(;|%3b|$)/i);
        });
      }),
      { numRuns: 3000 },
    );
  });

  test('never makes a path that reads as an authority (RFC 3986 §4.2)', () => {
    fc.assert(
      fc.property(targets, policies, (target, policy) => {
        ifAccepted(target, policy, ({ path }) => {
          expect(path).toMatch(/^\/(?![/\\])/);
          expect(new URL(path, 'http://own.test').host).toBe('own.test');
          if (policy.duplicateSlashes !== 'keep') expect(path).not.toContain('//');
        });
      }),
      { numRuns: 3000 },
    );
  });

  test('leaves only one spelling: no escaped unreserved character, no lower-case escape, no byte outside visible ASCII', () => {
    fc.assert(
      fc.property(targets, policies, (target, policy) => {
        ifAccepted(target, policy, ({ path }) => {
          expect(path).toMatch(/^(?:[!-~](?<![%#?\\])|%[0-9A-F]{2})*$/);
          for (const [, hex] of path.matchAll(/%(..)/g)) {
            expect(String.fromCharCode(Number.parseInt(hex ?? '', 16))).not.toMatch(/[A-Za-z0-9._~-]/);
          }
        });
      }),
      { numRuns: 3000 },
    );
  });

  test('never touches the query', () => {
    fc.assert(
      fc.property(soundTargets, fc.stringMatching(/^[!-"$-~]*$/), policies, (target, query, policy) => {
        const alone = canonicalizeTarget(target, policy);
        expect(canonicalizeTarget(`${target}?${query}`, policy)).toEqual(alone.ok ? { ...alone, query } : alone);
      }),
      { numRuns: 1000 },
    );
  });

  test('gives what splitting into segments gives (RFC 3986 §5.2.4)', () => {
    fc.assert(
      fc.property(soundTargets, policies, (target, policy) => {
        const result = canonicalizeTarget(target, policy);
        expect(result.ok ? result.path : null).toBe(bySegments(target, policy));
      }),
      { numRuns: 10_000 },
    );
  });

  test('agrees with the URL standard where both have something to say', () => {
    const plain = fc.array(fc.constantFrom('a', 'b', '.', '..', '%2e', '%2E%2e', '%20', ':', '@'), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(plain, fc.boolean(), (segments, slash) => {
        const target = `/${segments.join('/')}${slash ? '/' : ''}`;
        expect(canonicalizeTarget(target, lenient)).toMatchObject({
          path: new URL(`http://own.test${target}`).pathname,
        });
      }),
      { numRuns: 2000 },
    );
  });
});
