/**
 * What happens to a configuration in which single routes, pools or certificates can't be used.
 * `start`: they are quarantined, since the alternative is to serve nothing. `reload`: what is wrong in the files themselves
 * refuses the whole, since what serves is better than a 503 for a slip; what the world outside of them is to blame for is quarantined,
 * and what was so before stays so. `strict`: anything refuses the whole.
 */
export type Tolerance = 'start' | 'reload' | 'strict';

/** May this be left out? */
export function tolerates(
  tolerance: Tolerance,
  wrong: {
    /** A file that the configuration names can't be used: nothing in the configuration needs to change for it to be right. */
    readonly outside: boolean;
    /** It is out of service already. */
    readonly before: boolean;
  },
): boolean {
  if (tolerance === 'reload') return wrong.outside || wrong.before;
  return tolerance === 'start';
}
