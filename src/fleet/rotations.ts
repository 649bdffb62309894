import type { Servable } from '../config/load.ts';

/** How often session tickets change their keys, wherever they do. */
export function rotationsOf({ config }: Servable): readonly number[] {
  return Object.values(config.listeners).flatMap(({ tls }) =>
    tls === undefined || tls.ticketRotation <= 0 ? [] : [tls.ticketRotation],
  );
}
