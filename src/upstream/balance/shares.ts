/** How many of the endpoints of one priority are healthy. At least one is in service. */
export interface TierHealth {
  /** Not taken out by hand, and of a weight above 0. */
  readonly inService: number;
  readonly healthy: number;
}

/**
 * The share of the traffic that each tier gets, first ones first, as Envoy does. A tier can take as much as its share of healthy
 * endpoints is of `enough`, at most everything, and gets that as long as the tiers before have left something. When all of them
 * together can't take everything, each gets more in proportion. With `enough` 0 any healthy endpoint can take everything.
 * The shares add up to 1, or all are 0 when nobody is healthy.
 */
export function tierShares(tiers: readonly TierHealth[], enough: number): readonly number[] {
  const able = tiers.map(({ inService, healthy }) => {
    if (healthy === 0) return 0;
    return enough === 0 ? 1 : Math.min(1, healthy / inService / enough);
  });
  const sum = able.reduce((total, each) => total + each, 0);
  if (sum === 0) return able;
  if (sum < 1) return able.map((each) => each / sum);
  let left = 1;
  return able.map((each) => {
    const share = Math.min(left, each);
    left -= share;
    return share;
  });
}

/** Has none of the tiers at least `threshold` of its endpoints healthy? False for 0, and where nobody is in service. */
export function isPanic(tiers: readonly TierHealth[], threshold: number): boolean {
  return tiers.length > 0 && tiers.every(({ inService, healthy }) => healthy / inService < threshold);
}
