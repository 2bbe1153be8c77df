/** What is read of a JSON schema. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly example?: unknown;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly description?: string;
  readonly example?: unknown;
  readonly schema?: Schema;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

export interface Operation {
  readonly operationId: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

/** An OpenAPI document, as far as it is shown. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

const nameIn = (reference: string): string => reference.split('/').at(-1) ?? '';

/** What a schema says, with what it refers to in its place; a schema inside of itself stays a reference. */
export function resolved(schema: Schema, document: ApiDocument, inside: readonly string[] = []): Schema {
  const { $ref } = schema;
  if ($ref !== undefined) {
    const found = document.components?.schemas?.[nameIn($ref)];
    return found === undefined || inside.includes($ref) ? schema : resolved(found, document, [...inside, $ref]);
  }
  const each = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(each)
      : typeof value === 'object' && value !== null
        ? resolved(value as Schema, document, inside)
        : value;
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, each(value)]));
}

/** A value that a resolved schema takes: its own example, or what is required of it. */
export function exampleOf(schema: Schema): unknown {
  const { example, const: only, enum: values, default: usual, anyOf, oneOf, properties = {}, required = [] } = schema;
  if (example !== undefined) return example;
  if (only !== undefined) return only;
  if (usual !== undefined) return usual;
  if (values !== undefined) return values[0];
  const [first] = anyOf ?? oneOf ?? [];
  if (first !== undefined) return exampleOf(first);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map(exampleOf));
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0];
  if (type === 'array') return schema.items ? [exampleOf(schema.items)] : [];
  if (type === 'string') return '';
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1;
  if (type === 'boolean') return false;
  if (type === 'null') return null;
  const needed = Object.entries(properties).filter(([name]) => required.includes(name));
  return Object.fromEntries(needed.map(([name, property]) => [name, exampleOf(property)]));
}
