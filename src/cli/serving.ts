import { availableParallelism } from 'node:os';
import type { Config } from '../config/schema/config.ts';
import type { Quarantined } from '../control/quarantine.ts';
import type { GatewayStatus } from '../control/status.ts';
import type { Stoppable } from './until-stopped.ts';

/** What serves: a gateway in this process, or workers that this process looks after. */
export interface Serving extends Stoppable {
  readonly quarantined: readonly Quarantined[];
  /** Base URL by listener name. */
  readonly urls: ReadonlyMap<string, string>;
  readonly adminUrl: string;
  status(): GatewayStatus | Promise<GatewayStatus>;
  /** Stops at once. */
  close(): Promise<void>;
}

/** How many processes serve; 1 for this one alone. */
export function workerCount({ workers }: Pick<Config, 'workers'>): number {
  return workers === 'auto' ? availableParallelism() : workers;
}
