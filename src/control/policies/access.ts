import type { AccessConfig, AccessRuleConfig, NetworksConfig } from '../../config/schema/policy/access.ts';
import { type AccessRule, accessPolicy, type NetworkSource } from '../../policy/access/access.ts';
import { parseNetworkList } from '../../policy/access/network-list.ts';
import { NetworkSetDraft } from '../../policy/access/network-set.ts';
import type { PolicyRequest } from '../../policy/admit.ts';
import { compileConditions } from '../../routing/conditions.ts';
import type { RouteRequest } from '../../routing/route.ts';
import type { PolicyContext, PolicyKind } from './policy-kind.ts';

/** Those of all groups and of the route add up: what one refuses, no other lets in. */
export const accessKind: PolicyKind<AccessConfig> = {
  merge: 'all',
  words: accessWords,
  compile: (config, context) => {
    const { deny, allow, methods = null, rules = [], dryRun } = config;
    const parts = {
      deny: deny === undefined ? [] : sourcesOf(deny, 'deny', context),
      allow: allow === undefined ? null : sourcesOf(allow, 'allow', context),
      rules: rules.map((rule, index) => compiledRule(rule, index, context)),
    };
    if (parts.deny === null || (allow !== undefined && parts.allow === null)) return null;
    const compiled = parts.rules.filter((rule) => rule !== null);
    if (compiled.length < rules.length) return null;
    return { admit: [accessPolicy({ deny: parts.deny, allow: parts.allow, methods, rules: compiled, dryRun })] };
  },
};

/** `null` after a complaint. What stands in the configuration itself is one set; each file is one more. */
function sourcesOf(entries: NetworksConfig, key: string, context: PolicyContext): readonly NetworkSource[] | null {
  const draft = new NetworkSetDraft();
  let isSound = true;
  const files: NetworkSource[] = [];
  for (const [index, entry] of entries.entries()) {
    if (typeof entry === 'string') {
      const message = draft.add(entry);
      if (message !== null) context.complain([key, index], { message });
      isSound &&= message === null;
    } else {
      const file = context.file(entry.file, [key, index, 'file'], parseNetworkList);
      if (file !== null) files.push(file);
      isSound &&= file !== null;
    }
  }
  const inline = entries.length > files.length ? [{ current: draft.built() }] : [];
  return isSound ? [...inline, ...files] : null;
}

function compiledRule(config: AccessRuleConfig, index: number, context: PolicyContext): AccessRule | null {
  const allows = config.allow !== undefined;
  const result = compileConditions([config.allow ?? config.deny ?? {}]);
  if (!result.ok) {
    const key = ['rules', index, allows ? 'allow' : 'deny'];
    // The first key is the place in the list of the one that it was asked for.
    for (const problem of result.problems) context.complain([...key, ...problem.key.slice(1)], problem);
    return null;
  }
  const { holds } = result;
  return { label: config.name ?? String(index + 1), allows, holds: (request) => holds(routeRequestOf(request)) };
}

/** What conditions are about. */
function routeRequestOf({ request, client, host, path, query }: PolicyRequest): RouteRequest {
  return {
    method: request.method,
    ...{ host, path, query },
    headers: request.headers,
    clientAddress: client.address,
    serverName: client.tls === null ? null : client.tls.serverName,
    tls: client.tls !== null,
    clientCertificate: client.tls === null ? null : client.tls.clientCertificate,
    body: null,
  };
}

function accessWords({ deny, allow, methods, rules, dryRun }: AccessConfig): string {
  const parts = [
    ...(deny === undefined ? [] : [`deny ${networkWords(deny)}`]),
    ...(allow === undefined ? [] : [`allow ${networkWords(allow)} alone`]),
    ...(methods === undefined ? [] : [`methods ${methods.join(', ')}`]),
    ...(rules === undefined ? [] : [rules.length === 1 ? '1 rule' : `${rules.length} rules`]),
    ...(dryRun ? ['refuses nobody (dry run)'] : []),
  ];
  return parts.join('; ');
}

/** The first few, and how many more there are. */
function networkWords(entries: NetworksConfig): string {
  const shown = entries.slice(0, 4).map((entry) => (typeof entry === 'string' ? entry : `those in ${entry.file}`));
  return entries.length > 4 ? `${shown.join(', ')} and ${entries.length - 4} more` : shown.join(', ');
}
