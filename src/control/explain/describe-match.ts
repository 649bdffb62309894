import type { BodyMatch } from '../../routing/body/body-match.ts';
import type { RouteMatch } from '../../routing/route.ts';

/** A match in one line for people: `shop.example /api/** POST + header x-beta`. */
export function describeMatch(match: RouteMatch): string {
  const parts = [...(match.host === undefined ? [] : [match.host.join('|')]), pathOf(match)];
  if (match.method !== undefined) parts.push(match.method.join('|'));
  const further = [
    ...Object.keys(match.headers ?? {}).map((name) => `header ${name}`),
    ...Object.keys(match.cookies ?? {}).map((name) => `cookie ${name}`),
    ...Object.keys(match.query ?? {}).map((name) => `query ${name}`),
    ...Object.keys(match.clientCertificate ?? {}).map((name) => `client certificate ${name}`),
    ...bodyTests(match.body),
    ...(['client', 'sni', 'all', 'any', 'not'] as const).filter((key) => match[key] !== undefined),
  ];
  return further.length === 0 ? parts.join(' ') : `${parts.join(' ')} + ${further.join(' + ')}`;
}

function pathOf({ path }: RouteMatch): string {
  if (path === undefined) return '/**';
  if (path.kind === 'prefix') return `${path.value.replace(/\/$/, '')}/**`;
  return path.kind === 'regex' ? `~ ${path.value}` : path.value;
}

function bodyTests(body: BodyMatch | undefined): readonly string[] {
  if (body === undefined) return [];
  const { json = {}, form = {} } = body;
  return [
    ...Object.keys(json).map((pointer) => `body json ${pointer}`),
    ...Object.keys(form).map((name) => `body form ${name}`),
    ...(['graphql', 'jsonRpc', 'xml', 'soap'] as const).flatMap((kind) =>
      body[kind] === undefined ? [] : [`body ${kind}`],
    ),
  ];
}
