import type { Logger } from '../observe/log.ts';
import type { UpstreamEvent } from '../upstream/events.ts';

type Of<K extends UpstreamEvent['kind']> = Extract<UpstreamEvent, { readonly kind: K }>;

/** A line stays one that a person can read. */
const MOST_SHOWN = 20;

export function logMembers(log: Logger, { pool, found, lost, count }: Of<'members'>): void {
  log.info({ pool, found: shown(found), lost: shown(lost), endpoints: count }, 'Endpoints of a pool have changed');
}

export function logDropped(log: Logger, { pool, dropped, most }: Of<'members-dropped'>): void {
  log.warn({ pool, dropped, most }, 'More endpoints were found than a pool may have');
}

export function logDiscovery(log: Logger, { source, works, reason, detail }: Of<'discovery'>): void {
  if (works) log.info({ source }, 'Discovery works again');
  else log.warn({ source, reason, ...(detail === null ? {} : { detail }) }, 'Discovery fails');
}

export function logLeftOut(log: Logger, { source, leftOut }: Of<'left-out'>): void {
  log.info({ source, leftOut: shown(leftOut) }, 'Some of what was found is left out');
}

function shown<T>(all: readonly T[]): readonly T[] {
  return all.slice(0, MOST_SHOWN);
}
