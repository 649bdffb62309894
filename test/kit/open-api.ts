import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

type Json = Readonly<Record<string, unknown>>;

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema?: Json }>> }>
  >;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

export interface Answered {
  readonly method: string;
  /** As it was asked for. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** Compares answers with what an OpenAPI document says of them: properties that it does not know are a mistake. */
export class OpenApiCheck {
  readonly #document: Document;
  readonly #ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();
  /** `operationId status` of everything that was compared. */
  readonly seen = new Set<string>();

  constructor(document: object) {
    this.#document = closed(document) as Document;
    this.#ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    this.#ajv.addVocabulary(['components']);
    this.#ajv.addSchema({ $id: 'doc', components: this.#document.components });
  }

  get operations(): readonly { readonly id: string; readonly method: string; readonly path: string }[] {
    return Object.entries(this.#document.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, operation]) =>
        method === 'parameters' ? [] : [{ id: operation.operationId, method: method.toUpperCase(), path }],
      ),
    );
  }

  /** What is wrong with an answer; empty for nothing. */
  problems({ method, path, status, contentType, text }: Answered): readonly string[] {
    const operation = this.#operationOf(method, path.split('?')[0] ?? '');
    if (operation === null) return [`${method} ${path} is not in the document`];
    const response = operation.responses[status];
    const where = `${operation.operationId} ${status}`;
    if (response === undefined) return [`${where} is not in the document`];
    this.seen.add(where);
    const type = Object.keys(response.content).find((known) => contentType.startsWith(known));
    if (type === undefined) return [`${where} is ${contentType}`];
    const schema = response.content[type]?.schema;
    if (schema === undefined) return [];
    const validate = this.#validators.get(where) ?? this.#ajv.compile({ ...local(schema), $id: `doc-${where}` });
    this.#validators.set(where, validate);
    if (validate(JSON.parse(text))) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${where} ${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  #operationOf(method: string, path: string): Operation | null {
    for (const [pattern, item] of Object.entries(this.#document.paths)) {
      const regex = new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`);
      const operation = item[method.toLowerCase()];
      if (regex.test(path) && operation !== undefined) return operation;
    }
    return null;
  }
}

/** References lead into the one schema that has all components. */
function local(schema: Json): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"doc#/components')) as Json;
}

/** Every object with properties has no others. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const inner = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  const isRecord = inner['type'] !== undefined && 'properties' in inner && !('additionalProperties' in inner);
  return isRecord ? { ...inner, additionalProperties: false } : inner;
}
