import { hash } from 'node:crypto';
import { type Compiled, compiledUnless, type PolicyProblem } from '../compiled.ts';
import { parseTemplate } from '../template-syntax.ts';
import { resolveVariable, suggestVariable, type Variables } from '../variables.ts';
import { networkOf } from './network.ts';

/** What a limit counts apart. */
export interface KeyExpression {
  /**
   * The key of a request, 65 characters at most, or `null` for one that lacks a part of it. Different parts never make the same key,
   * however they are spread over them. Hot.
   */
  readonly of: (variables: Variables) => string | null;
  /** It says who it is, which is known only after authentication. */
  readonly readsIdentity: boolean;
  /** As it is written; keys of another expression are others. */
  readonly text: string;
}

export interface KeyOptions {
  readonly ipv4Prefix: number;
  readonly ipv6Prefix: number;
  /** Requests that lack a part of the key have no key (`skip`), or share one (`share`). */
  readonly withoutKey: 'skip' | 'share';
}

/** A longer key is its digest, with a mark before it that makes it longer than any that is not. */
export const KEY_CHARACTERS = 64;

type Read = (variables: Variables) => string;

const IDENTITY = /^(?:auth|claim|jwt)\./;

/**
 * Compiles what to count apart: a list of texts with `{variables}`, all of which together are the key; none is one key for all requests.
 * `{client.address}` and `{peer.address}` are networks of the given lengths.
 */
export function compileKey(
  texts: readonly string[],
  captures: readonly string[],
  options: KeyOptions,
): Compiled<KeyExpression> {
  const problems: PolicyProblem[] = [];
  const reads: Read[] = [];
  let readsIdentity = false;
  for (const [index, text] of texts.entries()) {
    const names = namesIn(text, captures);
    if (typeof names === 'string') {
      problems.push({ path: [index], message: names });
      continue;
    }
    readsIdentity ||= names.some((name) => IDENTITY.test(name) && !captures.includes(name));
    reads.push(...names.flatMap((name) => readerOf(name, captures, options) ?? []));
  }
  const of = keyOf(reads, options.withoutKey === 'share');
  return compiledUnless(problems, () => ({ of, readsIdentity, text: texts.join('\n') }));
}

/** The variables in `text`, or what is wrong with it. */
function namesIn(text: string, captures: readonly string[]): readonly string[] | string {
  const parsed = parseTemplate(text);
  if (!parsed.ok) return parsed.message;
  const names = parsed.tokens.flatMap((token) => (token.kind === 'variable' ? [token.name] : []));
  const unknown = names.find((name) => resolveVariable(name, captures) === null);
  if (unknown !== undefined) {
    const near = suggestVariable(unknown, captures);
    return `unknown variable {${unknown}}${near === null ? '' : ` (did you mean {${near}}?)`}`;
  }
  if (names.length > 0) return names;
  const meant = resolveVariable(text, captures) === null ? '' : ` (did you mean "{${text}}"?)`;
  return `"${text}" has no {variable}, and all requests would have the same key${meant}; for that write key: []`;
}

function readerOf(name: string, captures: readonly string[], { ipv4Prefix, ipv6Prefix }: KeyOptions): Read | null {
  const variable = resolveVariable(name, captures);
  if (variable === null) return null;
  const { read } = variable;
  const isAddress = (name === 'client.address' || name === 'peer.address') && !captures.includes(name);
  return isAddress ? (variables) => networkOf(read(variables), ipv4Prefix, ipv6Prefix) : read;
}

function keyOf(reads: readonly Read[], shares: boolean): KeyExpression['of'] {
  const [only] = reads;
  if (only === undefined) return () => '';
  if (reads.length === 1) {
    return (variables) => {
      const value = only(variables);
      return value === '' && !shares ? null : bounded(value);
    };
  }
  return (variables) => {
    let key = '';
    for (const read of reads) {
      const value = read(variables);
      if (value === '' && !shares) return null;
      // Its length before each part: a client that writes a separator into one can't make it look like two.
      key += `${value.length}:${value}`;
    }
    return bounded(key);
  };
}

function bounded(key: string): string {
  return key.length <= KEY_CHARACTERS ? key : `#${hash('sha256', key)}`;
}

/** Of a key that can't be had without knowing it: nothing of it is kept elsewhere in clear. */
export function digestOf(text: string): string {
  return hash('sha256', text, 'base64url');
}
