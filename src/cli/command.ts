import type { Given } from './options.ts';

/** How `headgate --help` arranges the commands, in this order. */
export const GROUPS = {
  run: 'Run',
  configuration: 'The configuration',
  gateway: 'A running gateway',
  certificates: 'Certificates',
  more: 'More',
} as const;

/** What a shell may put where an argument stands: files, words, or what only a running gateway knows. */
export type Completes = 'path' | 'directory' | 'pool' | 'endpoint' | 'command' | readonly string[];

/** An option. With the name of a value (`PATH`) it takes one, without it is a switch. */
export interface OptionSpec {
  readonly value?: string;
  readonly short?: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** For the help: what it does, and what holds without it. Its lines are indented alike. */
  readonly summary: string;
  readonly completes?: Completes;
}
/** By long name, without the dashes; in the order of the help. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** What stands without a dash. Whether it is needed, `parse` of the command knows. */
export interface Positional {
  /** As in `POOL`, for the help of the shells. */
  readonly name: string;
  /** Any number of them; only the last may be so. */
  readonly repeated?: boolean;
  readonly completes?: Completes;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** A stream to write to; `process.stdout` is one. */
export interface Output {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** What a command has of the process around it. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** For data. */
  readonly stdout: Output;
  /** For messages. */
  readonly stderr: Output;
  readonly environment: Environment;
}

/** What an argument is understood by. */
export interface Around {
  readonly environment: Environment;
  /** Everything that the program can do. */
  readonly commands: readonly Command[];
}

/**
 * One thing that the program does: what its help, the completion of the shells and the check of its arguments are made
 * from, and how it runs.
 */
export interface Command<Options = unknown> {
  readonly name: string;
  /** Under 70 characters, for the list of all commands. */
  readonly summary: string;
  /** `null`: for programs, and in no list. */
  readonly group: keyof typeof GROUPS | null;
  /** Besides --help and --version, which every command has. */
  readonly options: OptionSpecs;
  readonly positionals: readonly Positional[];
  readonly help: {
    /** What it does. */
    readonly lead: string;
    /** Command lines that are understood. At least one. */
    readonly examples: readonly string[];
    /** What else there is to know. */
    readonly notes?: string;
  };
  /** For whoever gives it an argument too many; the way to its help unless given. */
  readonly hint?: string;
  /**
   * What it was given, checked: the options are known, their values are there, the positionals are not too many.
   * @throws UsageError
   */
  parse(given: Given, around: Around): Options;
  /** Runs it to its end; heavy modules are loaded here, so that no other command waits for them. Resolves with the exit code. */
  run(options: Options, io: Io): Promise<number> | number;
}
