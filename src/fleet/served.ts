import type { ConfigText, Servable } from '../config/load.ts';
import type { FleetSockets } from './sockets.ts';

/** What workers are started with. Compared by identity: one that was started with another one serves another configuration. */
export interface Served {
  readonly servable: Servable;
  readonly text: ConfigText;
  readonly sockets: FleetSockets;
}
