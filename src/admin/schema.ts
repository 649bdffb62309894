/**
 * A JSON Schema (2020-12, that of OpenAPI 3.1): what bodies are checked against, and what the document says of them and of
 * answers. The subset that `bodyProblem` knows is enough for bodies; answers may use `$ref`.
 */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly (string | null)[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
}

export const text: Schema = { type: 'string' };
/** ISO 8601. */
export const time: Schema = { type: 'string', format: 'date-time' };
export const truth: Schema = { type: 'boolean' };
export const count: Schema = { type: 'integer', minimum: 0 };
export const quantity: Schema = { type: 'number' };
/** Whatever JSON can say. */
export const anything: Schema = {};

/** By enumerated reason or the like. */
export const counts: Schema = { type: 'object', additionalProperties: count };

export function words(...of: readonly string[]): Schema {
  return { type: 'string', enum: of };
}

export function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

export function mapOf(values: Schema): Schema {
  return { type: 'object', additionalProperties: values };
}

/** Every property is there, but those that are named in `optional`. */
export function record(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
  };
}

/** `null` is said where it is known that there is none. */
export function orNull(schema: Schema): Schema {
  if (typeof schema.type === 'string' && schema.enum === undefined) return { ...schema, type: [schema.type, 'null'] };
  return { anyOf: [schema, { type: 'null' }] };
}

/** One of `components.schemas` of the document. */
export function component(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

export function described(schema: Schema, description: string): Schema {
  return { ...schema, description };
}
