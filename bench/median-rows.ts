/**
 * Of several rows of each peer the one in the middle by `of`, the lower of two; peers in the order in which they first come. A whole row,
 * not a median of each column: its figures belong together.
 */
export function medianRows<T extends { readonly peer: string }>(rows: readonly T[], of: (row: T) => number): T[] {
  return [...Map.groupBy(rows, ({ peer }) => peer).values()].map((own) => {
    const sorted = own.toSorted((a, b) => of(a) - of(b));
    return sorted[(sorted.length - 1) >> 1] as T;
  });
}
