import { z } from 'zod';
import { match } from '../match.ts';
import { cidr, isMap, method, name, oneOrMore } from '../units.ts';

const listFile = z.strictObject({
  file: z.string().min(1).describe('A file with one address or network a line; # begins a comment'),
});

const networks = oneOrMore(z.union([cidr, listFile])).meta({
  description: 'Addresses, networks, unix: for whoever comes by a Unix socket, and { file: … }',
});

const rule = z
  .strictObject({
    name: name.optional().describe('How the log calls it; its place in the list, from 1, unless given'),
    allow: match.optional().describe('Requests that may pass, whatever the rules behind this one say'),
    deny: match.optional().describe('Requests that are refused: 403'),
  })
  .refine((value) => (value.allow === undefined) !== (value.deny === undefined), {
    message: 'a rule has one of allow and deny',
    when: isMap,
  });

export const access = z
  .strictObject({
    deny: networks.optional().describe('Clients that are refused: 403'),
    allow: networks.optional().describe('Clients that may come in; all others are refused'),
    methods: oneOrMore(method).optional().describe('Methods that may be used; others are 405. GET includes HEAD'),
    rules: z
      .array(rule)
      .min(1)
      .optional()
      .describe('On method, path, header fields and more: the first that holds decides'),
    dryRun: z.boolean().default(false).describe('Refuse nobody, and note in the access log whom it would have been'),
  })
  .refine((value) => [value.deny, value.allow, value.methods, value.rules].some((part) => part !== undefined), {
    message: 'say who may come in: one of deny, allow, methods, rules',
    when: isMap,
  })
  .meta({ description: 'Who may come in at all (docs/access.md)' });

export type AccessConfig = z.output<typeof access>;
export type NetworksConfig = z.output<typeof networks>;
export type AccessRuleConfig = z.output<typeof rule>;
