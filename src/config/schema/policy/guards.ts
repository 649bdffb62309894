import { z } from 'zod';

/** Those of `policy/guards/rule-ids.ts`, which this room can't see; a test compares them. */
const RULE_IDS = [
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

export const guards = z
  .strictObject({
    mode: z.enum(['detect', 'block']).default('detect').describe('detect: note in the access log; block: refuse, 403'),
    exclude: z.array(z.enum(RULE_IDS)).default([]).describe('Rules that are not asked, by their ids'),
  })
  .meta({ description: 'Rules against common attacks: a guard rail, and no firewall (docs/guards.md)' });

export type GuardsConfig = z.output<typeof guards>;
