import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalizeTarget, type PathPolicy } from '../../../src/http/target.ts';
import { canonicalProblem } from '../../../src/routing/canonical-text.ts';

const policies: readonly PathPolicy[] = (['resolve', 'refuse'] as const).flatMap((dotSegments) =>
  (['merge', 'keep', 'refuse'] as const).flatMap((duplicateSlashes) =>
    (['refuse', 'keep', 'decode'] as const).flatMap((encodedSlash) =>
      (['refuse', 'keep', 'slash'] as const).map((backslash) => ({
        dotSegments,
        duplicateSlashes,
        encodedSlash,
        backslash,
      })),
    ),
  ),
);

/** True if the path is what some target becomes under some policy: being canonical, it becomes itself. */
function isCanonical(path: string): boolean {
  return policies.some((policy) => {
    const result = canonicalizeTarget(path, policy);
    return result.ok && result.path === path && result.query === null;
  });
}

const piece = fc.constantFrom(
  ...['a', '/', '.', '..', ';', '%2F', '%2f', '%5C', '%61', '%C3%A9', '%00', '%7F', '%', '%2', '%25', '%20', '%2E'],
  ...['\\', ' ', 'é', '?', '#', '{', '}', '"', '<', '|', '^', '`', '\u007f', '~', '*', '%3B', '%3b', '%FF'],
);

describe('the configured paths that are refused', () => {
  test('are those that no request has under any path policy', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        const path = `/${pieces.join('')}`;
        expect({ path, refused: canonicalProblem(path) !== null }).toEqual({ path, refused: !isCanonical(path) });
      }),
      { numRuns: 5000 },
    );
  });
});
