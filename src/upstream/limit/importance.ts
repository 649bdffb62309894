/** How much it matters that a request is served while not all can be: by its route. Not the route's matching `priority`. */
export type Importance = 'high' | 'normal' | 'low';

/** Highest first. */
export const IMPORTANCES: readonly Importance[] = ['high', 'normal', 'low'];
