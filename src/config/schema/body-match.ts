import { z } from 'zod';
import { isMap, oneOrMore } from './units.ts';
import { type ValueTest, valueTest } from './value-test.ts';

type Tests = Readonly<Record<string, ValueTest>>;
type Batch = 'all' | 'any' | 'never';

/** Every condition given must hold. */
export interface BodyMatchConfig {
  readonly json?: Tests | undefined;
  readonly form?: Tests | undefined;
  readonly graphql?:
    | {
        readonly operation?: readonly ('query' | 'mutation' | 'subscription')[] | undefined;
        readonly name?: ValueTest | undefined;
        readonly field?: ValueTest | undefined;
        readonly batch: Batch;
      }
    | undefined;
  readonly jsonRpc?: { readonly method: ValueTest; readonly batch: Batch } | undefined;
  readonly xml?: { readonly root?: ValueTest | undefined; readonly namespace?: ValueTest | undefined } | undefined;
  readonly soap?:
    | {
        readonly action?: ValueTest | undefined;
        readonly operation?: ValueTest | undefined;
        readonly namespace?: ValueTest | undefined;
      }
    | undefined;
  readonly whenTooLarge: 'no-match' | 'match' | 'refuse';
  readonly whenMalformed: 'no-match' | 'refuse';
}

/** Numbers and words that a person writes without quotes are compared as texts like all others. */
const jsonTest = z
  .union([z.int(), z.boolean(), valueTest])
  .transform((value): ValueTest => (typeof value === 'object' ? value : { kind: 'exact', value: String(value) }));

const batch = z
  .enum(['all', 'any', 'never'])
  .default('all')
  .describe('Several calls in one request: all must be such, or any, or never match those');

const CONDITIONS = ['json', 'form', 'graphql', 'jsonRpc', 'xml', 'soap'] as const;

/** Without a word it would be every request, and look like those that say something. */
function says(what: string) {
  return {
    message: `say what must be true of it: for any ${what}, { present: true }`,
    when: isMap,
  };
}

function isAnyGiven(tests: object): boolean {
  return Object.entries(tests).some(([key, test]) => key !== 'batch' && test !== undefined);
}

export const bodyMatch: z.ZodType<BodyMatchConfig, unknown> = z
  .strictObject({
    json: z
      .record(z.string(), jsonTest)
      .refine(isAnyGiven, says('document, "": '))
      .optional()
      .describe('Tests of values by JSON pointer: "/order/type": express. Numbers as they are written'),
    form: z
      .record(z.string(), valueTest)
      .refine(isAnyGiven, says('value, field: '))
      .optional()
      .describe('Tests of text fields of a form by name, urlencoded or multipart'),
    graphql: z
      .strictObject({
        operation: oneOrMore(z.enum(['query', 'mutation', 'subscription']))
          .optional()
          .describe('Kind of operation'),
        name: valueTest.optional().describe('Test of the operation’s name'),
        field: valueTest.optional().describe('Test of the fields at its top, of which one must pass'),
        batch,
      })
      .refine(isAnyGiven, says('operation, field: '))
      .optional()
      .describe('What a GraphQL request asks for'),
    jsonRpc: z
      .strictObject({ method: valueTest.describe('Test of the method'), batch })
      .optional()
      .describe('What a JSON-RPC 2.0 request asks for'),
    xml: z
      .strictObject({
        root: valueTest.optional().describe('Test of the root element’s name, without a prefix'),
        namespace: valueTest.optional().describe('Test of the root element’s namespace'),
      })
      .refine(isAnyGiven, says('document, root: '))
      .optional()
      .describe('What an XML document is'),
    soap: z
      .strictObject({
        action: valueTest.optional().describe('Test of SOAPAction, or of the parameter action of SOAP 1.2'),
        operation: valueTest.optional().describe('Test of the first element in the body, without a prefix'),
        namespace: valueTest.optional().describe('Test of that element’s namespace'),
      })
      .refine(isAnyGiven, says('operation, operation: '))
      .optional()
      .describe('What a SOAP request asks for'),
    whenTooLarge: z
      .enum(['no-match', 'match', 'refuse'])
      .default('no-match')
      .describe('A body that goes beyond what is looked at (bodyMatching.limit); refuse: 413'),
    whenMalformed: z
      .enum(['no-match', 'refuse'])
      .default('no-match')
      .describe('A body that is not what its Content-Type says; refuse: 400'),
  })
  .refine((match) => CONDITIONS.some((key) => match[key] !== undefined), {
    message: `say what it must say: one of ${CONDITIONS.join(', ')}`,
    when: isMap,
  });
