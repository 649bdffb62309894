import type { ConfigInput } from '../src/config/schema/config.ts';

type RouteInput = NonNullable<ConfigInput['routes']>[number];

/** A policy, and requests that it lets through: what `bench/policies.ts` measures the cost of. */
export interface PolicySubject {
  readonly name: string;
  /** What the route has besides match and pool. */
  readonly route: Partial<RouteInput>;
  /** Top-level sections besides. */
  readonly sections?: Partial<ConfigInput>;
  /** Header fields of each request, `Name: value`. */
  readonly fields?: readonly string[];
  /** The same in nginx, in the location of the route and among `http`; not given where it has no such thing. */
  readonly nginx?: { readonly location: string; readonly http?: string };
}

/** The first has none: it is what the others are compared with. */
export const policySubjects: readonly PolicySubject[] = [
  { name: 'none', route: {}, nginx: { location: '' } },
  { name: 'requestHeaders', route: { requestHeaders: { set: { 'X-Tenant': 'shop' } } } },
  { name: 'compress, not asked for', route: { compress: true } },
  { name: 'compress, gzip', route: { compress: { minSize: 0 } }, fields: ['Accept-Encoding: gzip'] },
  { name: 'substitute', route: { substitute: { rules: [{ find: 'needle', replace: 'thread' }], types: ['text/*'] } } },
  { name: 'decompress, nothing to decode', route: { decompress: true } },
];
