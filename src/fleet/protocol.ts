import type { AdminDesk } from '../admin/desk.ts';
import type { Diagnostic } from '../config/config-error.ts';
import type { ConfigText } from '../config/load.ts';
import type { SecretSeed } from '../control/common-secrets.ts';
import type { Plan } from '../control/plan/plan.ts';
import type { Quarantined } from '../control/quarantine.ts';
import type { ReloadChanges } from '../control/reload.ts';
import type { InheritedSocket } from '../gateway/inherited-sockets.ts';
import type { Obstacle } from '../gateway/start-error.ts';
import type { FamilyKind, Series } from '../observe/family.ts';
import type { LogLevel } from '../observe/log.ts';
import type { ProbeMemory, ProbeNews } from '../upstream/health/probe-state.ts';

/** What a worker is started with. It travels over the channel alone: it may hold secrets. */
export interface StartOrder {
  /** From 1. */
  readonly number: number;
  /** Every worker loads the same, whatever the files hold by then. */
  readonly text: ConfigText;
  readonly certificatesDirectory: string;
  readonly development: boolean;
  readonly strict: boolean;
  readonly logLevel: LogLevel;
  /** By listener. */
  readonly sockets: readonly InheritedSocket[];
  /** Those of other workers, to accept from while one of them is gone. */
  readonly loans: readonly Loan[];
  readonly seed: SecretSeed;
  /** Health checks are made here. */
  readonly leads: boolean;
  readonly known: readonly ProbeMemory[];
}

/** One copy of the socket of another worker. */
export interface Loan extends InheritedSocket {
  /** Number of that worker. */
  readonly of: number;
}

/** A method of `AdminDesk`; its arguments are plain data. */
export interface DeskCall {
  readonly method: keyof AdminDesk;
  readonly parameters: readonly unknown[];
}

/** What a worker can be asked for, and what it answers. */
export interface Calls {
  desk: (call: DeskCall) => unknown;
  families: () => readonly PlainFamily[];
  /** Loads and compiles; nothing has changed yet. `null`, or why it can't. */
  prepare: (next: { readonly text: ConfigText; readonly seed: SecretSeed }) => Refusal | null;
  commit: () => ReloadChanges;
  abandon: () => undefined;
  /** What the text would change, or why it can't be served. Nothing changes. */
  plan: (text: ConfigText) => Plan | { readonly refusal: Refusal };
  /** A sign of life. */
  beat: () => undefined;
  /** Resolves when everything is closed, with what it has counted in all. Then the process ends. */
  drain: () => readonly PlainFamily[];
  reopenLogs: () => undefined;
  lead: (leads: boolean) => undefined;
  probes: () => readonly ProbeMemory[];
  /** Accepts for worker `of` too; how many times it still could. */
  borrow: (of: number) => number;
  giveBack: (of: number) => undefined;
}

export type CallName = keyof Calls;
export type Question<N extends CallName> = Parameters<Calls[N]>;
export type Reply<N extends CallName> = ReturnType<Calls[N]>;

/** What has come about by hand, or by reloads. */
export interface Standing {
  readonly byHand: readonly DeskCall[];
  readonly logLevel: LogLevel;
}

export type ToWorker =
  | { readonly kind: 'start'; readonly order: StartOrder }
  /** Once it has loaded everything: what was set by hand before, oldest first, and the level of the log. It is asked and told things after this. */
  | ({ readonly kind: 'open' } & Standing)
  | { readonly kind: 'ask'; readonly id: number; readonly name: CallName; readonly parameters: readonly unknown[] }
  | { readonly kind: 'news'; readonly news: ProbeNews };

export type FromWorker =
  /** Everything is loaded; no listener is open. */
  | { readonly kind: 'prepared' }
  | ({ readonly kind: 'ready' } & Ready)
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** Some of an answer that is a long list; what is left comes as the answer. */
  | { readonly kind: 'part'; readonly id: number; readonly value: readonly unknown[] }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  /** A bug met on the way to an answer. */
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'news'; readonly news: ProbeNews };

/** Every listener is open. */
export interface Ready {
  readonly urls: ReadonlyMap<string, string>;
  readonly quarantined: readonly Quarantined[];
}

/** Why a worker can't start, or can't take the next configuration. */
export type Refusal =
  | { readonly kind: 'configuration'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: 'obstacle'; readonly obstacle: Obstacle; readonly message: string }
  | { readonly kind: 'bug'; readonly message: string };

/** A family of metrics as it was read. */
export interface PlainFamily {
  readonly name: string;
  readonly kind: FamilyKind;
  readonly help: string;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
}
