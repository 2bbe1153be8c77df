// Writes packages/client/src/api.ts: the schemas of the service's OpenAPI document as TypeScript. The document comes from a running service.
// Usage: node scripts/write-client-types.mjs [--check]   (after a build; --check only compares)
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFolderHost, createLocalBackend, createRetrievalService } from '@aquifer/retrieval-service';
import { embedderByName, generatorByName } from 'aquifer';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'packages/client/src/api.ts');

async function openApiDocument() {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-openapi-'));
  const host = createFolderHost({ knowledgeBase: { location: join(folder, 'index') } });
  const backend = createLocalBackend({ embedderByName, generatorByName });
  const service = createRetrievalService({ backend, knowledgeBases: { host } });
  try {
    const url = await service.listen({ port: 0 });
    return await (await fetch(`${url}/openapi.json`)).json();
  } finally {
    await service.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const quoted = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const indented = (text) => text.replaceAll('\n', '\n  ');

/** A schema of JSON Schema 2020-12, as far as the service uses it. */
function typeOf(schema) {
  if (schema.$ref) return schema.$ref.replace('#/components/schemas/', '');
  if (schema.const !== undefined) return typeof schema.const === 'string' ? quoted(schema.const) : String(schema.const);
  if (schema.enum)
    return schema.enum.map((value) => (typeof value === 'string' ? quoted(value) : String(value))).join(' | ');
  if (schema.allOf) return schema.allOf.map(typeOf).join(' & ');
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return [...new Set(options.map(typeOf))].join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(' | ');
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'number':
    case 'integer':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array': {
      const { anyOf, oneOf, enum: values } = schema.items;
      const item = typeOf(schema.items);
      return anyOf || oneOf || values ? `readonly (${item})[]` : `readonly ${item}[]`;
    }
    case 'object':
      return objectOf(schema);
    default:
      return 'unknown';
  }
}

function objectOf({ properties, required = [], additionalProperties }) {
  const values =
    additionalProperties && typeof additionalProperties === 'object' && Object.keys(additionalProperties).length > 0
      ? typeOf(additionalProperties)
      : 'unknown';
  if (!properties || Object.keys(properties).length === 0) return `{ readonly [name: string]: ${values} }`;
  const lines = Object.entries(properties).map(([name, schema]) => {
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
    const description = schema.description ? `/** ${schema.description} */\n` : '';
    return `${description}readonly ${key}${required.includes(name) ? '' : '?'}: ${typeOf(schema)};`;
  });
  return `{\n  ${lines.map(indented).join('\n  ')}\n}`;
}

const { components, paths } = await openApiDocument();
const declarations = Object.entries(components.schemas)
  .sort(([one], [other]) => (one < other ? -1 : 1))
  .map(([name, schema]) => {
    const type = typeOf(schema);
    return schema.type === 'object' && schema.properties
      ? `export interface ${name} ${type}`
      : `export type ${name} = ${type};`;
  });
const operations = Object.values(paths)
  // OpenAI's have clients of their own.
  .flatMap((path) => Object.values(path).filter(({ tags = [] }) => !tags.includes('OpenAI')))
  .map(({ operationId }) => operationId)
  .filter((operation) => operation !== undefined)
  .sort();
const written = [
  "// Written by scripts/write-client-types.mjs from the service's OpenAPI document: change the service's schemas, not this.",
  ...declarations,
  '/** What the service can be asked for. */',
  `export type Operation =\n${operations.map((operation) => `  | ${quoted(operation)}`).join('\n')};`,
]
  .join('\n\n')
  .replace('asked for. */\n\n', 'asked for. */\n')
  .concat('\n');
const { stdout: formatted } = spawnSync(
  join(root, 'node_modules/.bin/biome'),
  ['format', `--stdin-file-path=${target}`],
  {
    input: written,
    encoding: 'utf8',
  },
);

if (!process.argv.includes('--check')) {
  writeFileSync(target, formatted);
} else if (readFileSync(target, 'utf8') !== formatted) {
  console.error(
    "packages/client/src/api.ts is not what the service's schemas say: node scripts/write-client-types.mjs",
  );
  process.exitCode = 1;
} else {
  console.log('client types: ok');
}
