/** Stable: logs, metrics and configurations name them. In the order in which the one that a refusal names is chosen. */
export const GUARD_RULE_IDS = [
  'null-byte',
  'traversal',
  'local-file',
  'sensitive-file',
  'header-injection',
  'sql-union',
  'sql-tautology',
  'sql-comment',
  'sql-stacked',
  'sql-function',
  'xss-script',
  'xss-handler',
  'xss-uri',
  'command',
  'shellshock',
  'template',
  'jndi',
  'scanner',
] as const;

export type GuardRuleId = (typeof GUARD_RULE_IDS)[number];

/** Rules that something was found by, a bit for each. */
export type Findings = number;

/** The bit of a rule. */
export function bitOf(id: GuardRuleId): Findings {
  return 1 << GUARD_RULE_IDS.indexOf(id);
}

/** The rules in their order. */
export function idsOf(findings: Findings): readonly GuardRuleId[] {
  return GUARD_RULE_IDS.filter((id) => (findings & bitOf(id)) !== 0);
}
