/** Statuses from `from` to `to`, both included. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/** The statuses that mean healthy. */
export type Expectation = readonly StatusRange[];

/**
 * Reads `200` and `'200-299'` as configuration gives them. Throws a `RangeError` that names the offender when a range runs
 * backwards or is no range: nothing would ever be healthy.
 */
export function parseExpectation(statuses: readonly (number | string)[]): Expectation {
  return statuses.map((status) => {
    if (typeof status === 'number') return { from: status, to: status };
    const parts = /^(\d{3})-(\d{3})$/.exec(status);
    const range = { from: Number(parts?.[1]), to: Number(parts?.[2]) };
    if (!(range.from <= range.to))
      throw new RangeError(`Cannot expect statuses "${status}": give low-high, like 200-299`);
    return range;
  });
}

export function isExpected(expectation: Expectation, status: number): boolean {
  return expectation.some((range) => status >= range.from && status <= range.to);
}
