import type { AdminDesk } from '../../src/admin/desk.ts';

/** A desk with nobody behind it but `parts`: whatever else is asked of it is a bug of the test. */
export function deskOf(parts: Partial<AdminDesk>): AdminDesk {
  return new Proxy(parts as AdminDesk, {
    get: (target, name) => {
      const own = Reflect.get(target, name) as unknown;
      return own ?? (() => Promise.reject(new Error(`Nobody does ${String(name)}`)));
    },
  });
}
