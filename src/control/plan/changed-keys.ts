type Data = Readonly<Record<string, unknown>>;

/** The keys that two configurations of one thing do not agree in, in the order of the second. */
export function changedKeys(before: Data, next: Data): readonly string[] {
  const keys = new Set([...Object.keys(next), ...Object.keys(before)]);
  return [...keys].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(next[key]));
}

/** What two sets of named things have in common and what not. */
export function namesOf(
  before: Data,
  next: Data,
): { readonly added: string[]; readonly removed: string[]; readonly kept: string[] } {
  const [first, second] = [Object.keys(before), Object.keys(next)];
  return {
    added: second.filter((name) => !Object.hasOwn(before, name)),
    removed: first.filter((name) => !Object.hasOwn(next, name)),
    kept: second.filter((name) => Object.hasOwn(before, name)),
  };
}
