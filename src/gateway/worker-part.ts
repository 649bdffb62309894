import type { AdminDesk } from '../admin/desk.ts';
import type { Servable } from '../config/load.ts';
import type { CommonSecrets } from '../control/common-secrets.ts';
import type { Plan } from '../control/plan/plan.ts';
import type { Prepared } from '../control/reload.ts';
import type { ProbeMemory, ProbeNews } from '../upstream/health/probe-state.ts';

/**
 * What a gateway gets that is one of several processes with one configuration: it has no admin listener, waits for nobody before it
 * drains, and its health checks may be made by another.
 */
export interface WorkerPart {
  /** From 1. For the log. */
  readonly number: number;
  readonly secrets: CommonSecrets;
  readonly probes: {
    /** Checks are made here, and their results are told. */
    readonly leads: boolean;
    /** What others know already. */
    readonly known: readonly ProbeMemory[];
    readonly told: (news: ProbeNews) => void;
  };
  /** Before the first listener opens. What was set by hand is set here too. */
  readonly beforeOpening: (desk: AdminDesk) => Promise<void>;
}

/** What a gateway can do besides when it is one of several. */
export interface WorkerDeeds {
  readonly desk: AdminDesk;
  /** Everything of a reload that can fail. Rejects with a `ConfigError` or a `StartError`, and has changed nothing then. */
  prepare(next: Servable): Promise<Prepared>;
  /** What it would change. Rejects as `prepare` does. */
  planFor(next: Servable): Promise<Plan>;
  /** Health checks are made here from now on, or no more. */
  lead(leads: boolean): void;
  /** The result of a check that another has made. */
  hear(news: ProbeNews): void;
  probes(): readonly ProbeMemory[];
  /** A listener accepts from one more socket, until `release`. Rejects with the system's error for what is no listening socket. */
  adopt(listener: string, fd: number): Promise<void>;
  release(listener: string, fd: number): void;
}
