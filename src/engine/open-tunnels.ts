import type { Clock } from '../clock.ts';
import type { Snapshot } from './snapshot.ts';

/** Two sides that talk to each other through the gateway, for as long as they like. */
export interface OpenTunnel {
  /** By this snapshot it would still come to the pool and the endpoint that it has. */
  isLedBy(snapshot: Snapshot): boolean;
  /** Both sides see an end. Must not throw. */
  retire(): void;
}

/** Looking for the route of one takes some microseconds. */
const PER_TURN = 250;

/** Every tunnel that is open, and what becomes of those that no route leads any more. As many as there are, and a timer for each reload. */
export class OpenTunnels {
  readonly #clock: Clock;
  readonly #open = new Set<OpenTunnel>();
  #served: Snapshot | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(tunnel: OpenTunnel): void {
    this.#open.add(tunnel);
  }

  delete(tunnel: OpenTunnel): void {
    this.#open.delete(tunnel);
  }

  /** Another snapshot is served: those that stray by it end after its `strayTunnelMs`, unless a later one leads them again. */
  served(snapshot: Snapshot): void {
    this.#served = snapshot;
    const afterMs = snapshot.strayTunnelMs;
    if (afterMs === null || this.#open.size === 0) return;
    const strays: OpenTunnel[] = [];
    this.#inTurns([...this.#open], (tunnel) => {
      if (this.#strays(tunnel)) strays.push(tunnel);
    });
    this.#clock.after(afterMs, () => {
      this.#inTurns(strays, (tunnel) => {
        if (this.#strays(tunnel)) tunnel.retire();
      });
    });
  }

  #strays(tunnel: OpenTunnel): boolean {
    const served = this.#served;
    if (served === null || served.strayTunnelMs === null) return false;
    return this.#open.has(tunnel) && !tunnel.isLedBy(served);
  }

  /** Nothing else waits for more than a few of them. */
  #inTurns(tunnels: readonly OpenTunnel[], deed: (tunnel: OpenTunnel) => void, from = 0): void {
    for (const tunnel of tunnels.slice(from, from + PER_TURN)) deed(tunnel);
    const next = from + PER_TURN;
    if (next < tunnels.length) this.#clock.after(0, () => this.#inTurns(tunnels, deed, next));
  }
}
