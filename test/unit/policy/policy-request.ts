import type { BodySource } from '../../../src/exchange/body.ts';
import type { PolicyRequest } from '../../../src/policy/admit.ts';
import { variables } from './exchange-facts.ts';

type Facts = Parameters<typeof variables>[0] & {
  /** What it announces; 0 unless given, `null` for a length that is not known. */
  readonly bodyLength?: number | null;
  readonly hypothetical?: boolean;
};

export interface AskedRequest extends PolicyRequest {
  readonly notes: readonly string[];
  /** `[name, value, …]` */
  readonly responseFields: readonly string[];
}

/** A request as policies see it: `GET https://shop.test:8443/a/b?x=1&y=two` by 192.0.2.7, with `facts` instead where given. */
export function policyRequest({ bodyLength = 0, hypothetical = false, ...facts }: Facts = {}): AskedRequest {
  const notes: string[] = [];
  const responseFields: string[] = [];
  return {
    ...variables(facts),
    identity: null,
    startedAt: 0,
    startedAtEpoch: 0,
    hypothetical,
    requestBody: bodyOf(bodyLength),
    note: (text) => void notes.push(text),
    addResponseField: (name, value) => void responseFields.push(name, value),
    atEnd: () => {},
    ...{ notes, responseFields },
  };
}

function bodyOf(length: number | null): BodySource {
  return { length, untouched: true, pipe: () => {}, unpipe: () => {}, discard: () => {} };
}

/** The same for what a client asks for: `target` as sent, `path` and query as they come to. */
export function requestFor(target: string, path = target.split('?', 1)[0] ?? '', more: Facts = {}): AskedRequest {
  const question = target.indexOf('?');
  const query = question === -1 ? null : target.slice(question + 1);
  return policyRequest({ ...more, path, query, request: { target, ...more.request } });
}
