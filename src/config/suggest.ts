/**
 * Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and swaps of
 * neighbours that lead from one text to the other. O(a·b) time, O(b) memory.
 */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (previous[j] as number) + 1,
        (current[j - 1] as number) + 1,
        (previous[j - 1] as number) + (same ? 0 : 1),
      );
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (beforePrevious[j - 2] as number) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] as number;
}

/** Texts longer than this are nobody's typing error. */
const LONGEST = 64;

/**
 * The candidate that `given` most likely was meant to be, or `null` when none is near: one slip for every three
 * letters (but no more than `slips`), and at least one kept letter. Case, `-` and `_` do not count; the first of
 * equals wins.
 */
export function closest(given: string, candidates: Iterable<string>, slips = LONGEST): string | null {
  if (given.length > LONGEST) return null;
  const wanted = folded(given);
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = nearness(wanted, folded(candidate));
    if (distance <= slips && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Distance in slips; infinite when too far to be meant. */
function nearness(wanted: string, candidate: string): number {
  const longer = Math.max(wanted.length, candidate.length);
  const allowed = longer <= 2 ? 1 : Math.max(1, Math.round(longer / 3));
  // `timeout` for `connectTimeout` is no slip, but it is meant: a whole word of the key.
  if (wanted.length >= 4 && candidate.length > wanted.length && candidate.endsWith(wanted)) return allowed + 0.5;
  const distance = editDistance(wanted, candidate);
  if (distance > allowed || distance >= longer) return Number.POSITIVE_INFINITY;
  return distance;
}

function folded(text: string): string {
  return text.toLowerCase().replaceAll(/[-_ ]/g, '');
}

/** `did you mean “pool”?` */
export function didYouMean(what: string): string {
  return `did you mean “${what}”?`;
}

/** `“a”, “b” and “c”`, cut after `limit`. */
export function enumerate(items: readonly string[], conjunction: 'and' | 'or' = 'or', limit = 12): string {
  const shown = items.slice(0, limit).map((item) => `“${item}”`);
  if (items.length > limit) return `${shown.join(', ')} and ${items.length - limit} more`;
  const last = shown.pop();
  if (last === undefined) return 'nothing';
  return shown.length === 0 ? last : `${shown.join(', ')} ${conjunction} ${last}`;
}
