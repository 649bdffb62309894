import type { Hand } from '../upstream/events.ts';
import type { AdminDesk } from './desk.ts';
import type { Refusal } from './refusal.ts';
import type { Schema } from './schema.ts';

/**
 * Who may ask. `open`: everybody. `metrics`: as the configuration says. `reading`: everybody on this machine, and who brings the
 * token from elsewhere. `secret`: as `reading`, but where there is a token, it is needed on this machine too. `change`: as
 * `secret`, and what a web page can send does not count (`guard.ts`).
 */
export type Access = 'open' | 'metrics' | 'reading' | 'secret' | 'change';

/** One thing that can be asked of the admin listener: what the router, the guard, the check of its body and the document are made from. */
export interface Operation {
  readonly id: string;
  /** GET brings HEAD. */
  readonly method: 'GET' | 'POST' | 'PUT';
  /** `/pools/{pool}`: a parameter is a whole segment, percent-encoded. */
  readonly path: string;
  readonly access: Access;
  /** For the document. */
  readonly summary: string;
  readonly tag: Tag;
  /** In the query, all of them optional. */
  readonly query?: Readonly<Record<string, Schema>>;
  /** What the body may hold; `null` for nothing at all. A change without required properties needs no body. */
  readonly body?: Schema;
  readonly answers: Readonly<Record<number, AnswerSchema>>;
  /** Refusals of its own, by status; those that the guard makes come by themselves. */
  readonly refusals?: Readonly<Record<number, string>>;
  run(call: Call): Promise<Answer | Refusal>;
}

export type Tag =
  | 'health'
  | 'gateway'
  | 'configuration'
  | 'exchanges'
  | 'upstream'
  | 'policies'
  | 'cache'
  | 'certificates';

export interface AnswerSchema {
  readonly description: string;
  /** Of JSON; else `type` says what comes. */
  readonly schema?: Schema;
  readonly type?: string;
}

/** One request, once it is known to be a good one. */
export interface Call {
  readonly desk: AdminDesk;
  /** Of the path, decoded; all that it names are there. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Those of `query` that were given, checked. */
  readonly query: Readonly<Record<string, string>>;
  /** Checked; empty for none. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly accept: string;
  readonly by: Hand;
}

export interface Answer {
  readonly status: number;
  /** Media type of `body` when that is text or bytes; JSON is made of everything else. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** In place of `body`: a text that may be long (`pieces.ts`). */
  readonly pieces?: readonly string[];
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** A parameter of the path, of which there always is one. */
export function named({ parameters }: Call, name: string): string {
  return parameters[name] ?? '';
}
