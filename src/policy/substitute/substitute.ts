import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { ResponseHead } from '../../exchange/response-sink.ts';
import { getHeader, type HeaderDraft, removeHeader, setHeader } from '../../http/headers.ts';
import type { BodyPlace } from '../body-template.ts';
import type { BodyTransform, TransformedHead } from '../body-transform.ts';
import { type Compiled, compiledUnless, type PolicyProblem } from '../compiled.ts';
import { alteredFields, alteredNotModified, announcedBytes, isAlterable, mediaType } from '../representation.ts';
import { bodyPlace } from '../respond.ts';
import { compileTemplate, render, type Template } from '../template.ts';
import type { Variables } from '../variables.ts';
import type { Needle } from './needles.ts';
import { SubstitutedBody } from './substituted-body.ts';

/** A text that is replaced wherever it stands, and the template of what replaces it. */
export interface SubstitutionRule {
  readonly find: string;
  readonly replace: string;
}

/** One rule, with its template for each kind of body that it may land in. */
interface Substitution {
  readonly find: Buffer;
  readonly replace: Readonly<Record<BodyPlace, Template>>;
}

/**
 * Replaces texts in the bodies of responses: of the media types that `isWanted` takes, in UTF-8 or US-ASCII. What has another charset stays as it
 * is. Endpoints are asked for bodies that are neither encoded nor in parts. Values of variables are escaped for the kind of body that they
 * land in; what the configuration says is not.
 */
export function compileSubstitutions(
  rules: readonly SubstitutionRule[],
  isWanted: (type: string) => boolean,
  captures: readonly string[],
): Compiled<BodyTransform> {
  const problems: PolicyProblem[] = [];
  const substitutions = rules.map((rule, index) => substitution(rule, { index, captures, problems }));
  return compiledUnless(problems, () =>
    transformOf(
      substitutions.filter((one) => one !== null),
      isWanted,
      rules,
    ),
  );
}

function substitution(
  { find, replace }: SubstitutionRule,
  {
    index,
    captures,
    problems,
  }: { readonly index: number; readonly captures: readonly string[]; readonly problems: PolicyProblem[] },
): Substitution | null {
  const complain = (message: string): null => {
    problems.push({ path: [index, 'replace'], message });
    return null;
  };
  const [body, json, html] = (['body', 'json', 'html'] as const).map((place) =>
    compileTemplate(replace, captures, place),
  );
  if (body === undefined || json === undefined || html === undefined) return null;
  if (!body.ok) return complain(body.message);
  if (!json.ok || !html.ok) return null;
  // A stored response would be that of one endpoint, under a key that knows of none.
  if (body.template.names.includes('endpoint')) return complain('{endpoint} is not known before the response');
  return {
    find: Buffer.from(find, 'utf8'),
    replace: { body: body.template, json: json.template, html: html.template },
  };
}

function transformOf(
  substitutions: readonly Substitution[],
  isWanted: (type: string) => boolean,
  rules: readonly SubstitutionRule[],
): BodyTransform {
  const needles = {
    body: needleMaker(substitutions, 'body'),
    json: needleMaker(substitutions, 'json'),
    html: needleMaker(substitutions, 'html'),
  };
  return {
    codings: null,
    ask: askForPlain,
    written: writtenBy(substitutions, rules),
    transform: (head, request, { hasBody, ifNoneMatch }) => {
      if (head.status === 304) return notModified(head, ifNoneMatch);
      const type = mediaType(head.headers);
      if (!isWanted(type) || !isAlterable(head, type) || !isReadable(head) || announcedBytes(head.headers) === 0)
        return null;
      const altered = { status: head.status, headers: alteredFields(head.headers) };
      if (!hasBody) return { head: altered, through: null };
      const wanted = needles[bodyPlace(type)](request);
      return { head: altered, through: (into) => new SubstitutedBody(into, wanted) };
    },
  };
}

function notModified(head: ResponseHead, ifNoneMatch: string | null): TransformedHead | null {
  const headers = alteredNotModified(head, ifNoneMatch, null);
  return headers === null ? null : { head: { status: head.status, headers }, through: null };
}

/** Made once where no variable has a say in it. */
function needleMaker(
  substitutions: readonly Substitution[],
  place: BodyPlace,
): (variables: Variables) => readonly Needle[] {
  const make = (variables: Variables): readonly Needle[] =>
    substitutions.map(({ find, replace }) => ({
      find,
      replacement: Buffer.from(render(replace[place], variables), 'latin1'),
    }));
  if (substitutions.some(({ replace }) => replace[place].constant === null)) return make;
  const constant = substitutions.map(({ find, replace }) => ({
    find,
    replacement: Buffer.from(replace[place].constant ?? '', 'latin1'),
  }));
  return () => constant;
}

/** What of a stored response is the configuration’s, and the request’s: each value with its length before it, so that no two look like one. */
function writtenBy(
  substitutions: readonly Substitution[],
  rules: readonly SubstitutionRule[],
): (variables: Variables) => string {
  const digest = createHash('sha256').update(JSON.stringify(rules)).digest('base64url').slice(0, 12);
  const variable = substitutions.filter(({ replace }) => replace.body.constant === null);
  if (variable.length === 0) return () => digest;
  return (variables) => {
    let written = digest;
    for (const { replace } of variable) {
      const value = render(replace.body, variables);
      written += ` ${value.length}:${value}`;
    }
    return written;
  };
}

const READABLE: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

/** Without a charset, UTF-8 is what nearly all is in, and what JSON has to be (RFC 8259 §8.1). */
function isReadable({ headers }: ResponseHead): boolean {
  const value = getHeader(headers, 'content-type') ?? '';
  const charset = /;[ \t]*charset[ \t]*=[ \t]*"?([^\s";]*)/i.exec(value)?.[1];
  return charset === undefined || READABLE.has(charset.toLowerCase());
}

function askForPlain(draft: HeaderDraft): void {
  setHeader(draft, 'Accept-Encoding', 'identity');
  // A part of what the endpoint has is no part of what is made of it.
  removeHeader(draft, 'range');
  removeHeader(draft, 'if-range');
}
