import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ApiDocument, exampleOf, resolved, type Schema } from './openapi.js';

const document: ApiDocument = {
  info: { title: 'A', version: '1' },
  paths: {},
  components: {
    schemas: {
      Filter: { type: 'object', properties: { not: { $ref: '#/components/schemas/Filter' } }, required: ['not'] },
      Name: { type: 'string', example: 'default' },
    },
  },
};

test('references are put in their place, but for what is inside of itself', () => {
  assert.deepEqual(resolved({ type: 'array', items: { $ref: '#/components/schemas/Name' } }, document), {
    type: 'array',
    items: { type: 'string', example: 'default' },
  });
  assert.deepEqual(resolved({ $ref: '#/components/schemas/Filter' }, document).properties, {
    not: { $ref: '#/components/schemas/Filter' },
  });
});

test('an example is the one of the schema, or what it requires', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      name: { type: 'string', example: 'a.md' },
      count: { type: 'integer', minimum: 3 },
      kinds: { type: 'array', items: { enum: ['one', 'two'] } },
      either: { anyOf: [{ type: 'boolean' }, { type: 'null' }] },
      optional: { type: 'string' },
    },
    required: ['name', 'count', 'kinds', 'either'],
  };
  assert.deepEqual(exampleOf(schema), { name: 'a.md', count: 3, kinds: ['one'], either: false });
  assert.deepEqual(exampleOf({ ...schema, example: { name: 'whole' } }), { name: 'whole' });
  assert.deepEqual(exampleOf(resolved({ $ref: '#/components/schemas/Filter' }, document)), { not: {} });
});
