import type { ValueTest } from '../route.ts';
import type { OperationType } from './graphql.ts';

/** What of several calls in one request must hold: all of them, one of them; or none may be such a request. */
export type BatchRule = 'all' | 'any' | 'never';

/** Conditions on the body of a request: every one given must hold. */
export interface BodyMatch {
  /** By JSON pointer (RFC 6901). A number is compared as it is written; an object or an array is there, and has no value. */
  readonly json?: Readonly<Record<string, ValueTest>> | undefined;
  /** Text fields by name. A repeated field passes if one of its values does. */
  readonly form?: Readonly<Record<string, ValueTest>> | undefined;
  readonly graphql?: GraphqlMatch | undefined;
  readonly jsonRpc?: JsonRpcMatch | undefined;
  readonly xml?: XmlMatch | undefined;
  readonly soap?: SoapMatch | undefined;
  /** What it means that a body is larger than the part of it that is read. */
  readonly whenTooLarge: 'no-match' | 'match' | 'refuse';
  /** What it means that a body is not what its type says. */
  readonly whenMalformed: 'no-match' | 'refuse';
}

export interface GraphqlMatch {
  readonly operation?: readonly OperationType[] | undefined;
  readonly name?: ValueTest | undefined;
  /** Passes if one of the fields at the top of the operation does. */
  readonly field?: ValueTest | undefined;
  readonly batch: BatchRule;
}

export interface JsonRpcMatch {
  readonly method: ValueTest;
  readonly batch: BatchRule;
}

/** The root element. */
export interface XmlMatch {
  /** Its name without a prefix. */
  readonly root?: ValueTest | undefined;
  /** `''` for none. */
  readonly namespace?: ValueTest | undefined;
}

export interface SoapMatch {
  /** Of the field `SOAPAction` (SOAP 1.1), or the parameter `action` of the type (SOAP 1.2). Needs no body. */
  readonly action?: ValueTest | undefined;
  /** Name, without a prefix, of the first element in the body of the envelope. */
  readonly operation?: ValueTest | undefined;
  readonly namespace?: ValueTest | undefined;
}

/** How many conditions it has. */
export function countOfBody(match: BodyMatch | undefined): number {
  if (match === undefined) return 0;
  const { json, form, graphql, jsonRpc, xml, soap } = match;
  return [
    Object.keys(json ?? {}),
    Object.keys(form ?? {}),
    [graphql?.operation, graphql?.name, graphql?.field],
    [jsonRpc?.method],
    [xml?.root, xml?.namespace],
    [soap?.action, soap?.operation, soap?.namespace],
  ].flatMap((given) => given.filter((one) => one !== undefined)).length;
}

/** A value as one of a list of at most one: what is not there is `null`. */
export function valueHolds(
  value: string | null,
  check: { wantsAbsent: boolean; accepts(value: string): boolean },
): boolean {
  return value === null ? check.wantsAbsent : !check.wantsAbsent && check.accepts(value);
}
