import type { Io } from '../../src/cli/command.ts';

/** What the commands of a page are run in; see test/unit/docs-output.test.ts. */
export interface Scene {
  readonly environment?: Readonly<Record<string, string>>;
  /** What is printed, and what the page shows in its place, in order: `['127.0.0.1:41233', '127.0.0.1:4600']`. */
  readonly shown?: readonly (readonly [real: string, shown: string])[];
  /** In place of the command line itself, where a command would change the machine. */
  readonly run?: (argv: readonly string[], io: Io) => Promise<number>;
  readonly close?: () => Promise<void> | void;
}
