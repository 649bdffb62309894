import type { Trouble } from '../../upstream/discovery/known-answer.ts';
import type { ListedEndpoint } from '../../upstream/discovery/listed-endpoint.ts';

/** Something that is asked again and again: a name, SRV records, a file, Docker. Shared by every pool that asks the same. */
export interface Source {
  /** Differs for everything that changes the answer or when it is asked for. */
  readonly key: string;
  /** For people: `dns api.internal`, `file endpoints.yaml`. */
  readonly text: string;
  readonly state: SourceState;
  /** Idempotent: it is called again whenever somebody who needs the source is looked over. */
  begin(): void;
  /** Asks no more. What is known stays. */
  end(): void;
}

/** How far a source has come. */
export interface SourceState {
  /** Something came of it at least once, if only a failure. */
  readonly asked: boolean;
  /** `null` while all is well. */
  readonly trouble: Trouble | null;
  /** When it last went well, on the monotonic clock. */
  readonly goodAtMs: number | null;
  /** When it is asked next, on the monotonic clock; `null` while it is being asked, or is watched. */
  readonly nextAtMs: number | null;
}

/** One that lists endpoints, whose hosts may be names. */
export interface Listing extends Source {
  readonly entries: readonly ListedEndpoint[];
  /** What it has besides, and why that is no endpoint. */
  readonly leftOut: readonly LeftOut[];
}

/** Something that a source has and that can't be used, or not now. */
export interface LeftOut {
  /** Name of a container. */
  readonly what: string;
  /** Enumerated: `unhealthy`, `starting`, `no-port`, `no-address`. */
  readonly reason: string;
}

/** Called after every answer and failure of a source; `items`: what it knows is different now. */
export type Heard = (source: Source, items: boolean) => void;
