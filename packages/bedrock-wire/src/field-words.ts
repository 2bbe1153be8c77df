import type { FieldWords, JsonType, Step } from './request-fields.js';

/**
 * The three voices in which Bedrock refuses a request: most model bodies are checked against a JSON Schema, Anthropic's by its own
 * service, and Converse by the service framework of AWS.
 */

const schemaTypes: Record<JsonType, string> = {
  text: 'String',
  number: 'Number',
  integer: 'Integer',
  flag: 'Boolean',
  list: 'JSONArray',
  object: 'JSONObject',
};

function schemaTypeOf(value: unknown): string {
  if (value === null || value === undefined) return 'Null';
  if (Array.isArray(value)) return 'JSONArray';
  if (typeof value === 'number') return Number.isInteger(value) ? 'Integer' : 'BigDecimal';
  return { string: 'String', boolean: 'Boolean', object: 'JSONObject' }[typeof value as string] ?? typeof value;
}

const malformed = (problem: string) => `Malformed input request: ${problem}, please reformat your input and try again.`;
const pointer = (path: readonly Step[]) => ['#', ...path].join('/');

export const schemaWords: FieldWords = {
  missing: (path, name) => malformed(`${pointer(path)}: required key [${name}] not found`),
  unknown: (path, name) => malformed(`${pointer(path)}: extraneous key [${name}] is not permitted`),
  wrongType: (path, wanted, value) =>
    malformed(`${pointer(path)}: expected type: ${schemaTypes[wanted]}, found: ${schemaTypeOf(value)}`),
  tooSmall: (path, value, minimum) => malformed(`${pointer(path)}: ${value} is not greater or equal to ${minimum}`),
  tooLarge: (path, value, maximum) => malformed(`${pointer(path)}: ${value} is not less or equal to ${maximum}`),
  tooShort: (path, length, minimum, type) =>
    malformed(
      type === 'text'
        ? `${pointer(path)}: expected minLength: ${minimum}, actual: ${length}`
        : `${pointer(path)}: expected minimum item count: ${minimum}, found: ${length}`,
    ),
  tooLong: (path, length, maximum, type) =>
    malformed(
      type === 'text'
        ? `${pointer(path)}: expected maxLength: ${maximum}, actual: ${length}`
        : `${pointer(path)}: expected maximum item count: ${maximum}, found: ${length}`,
    ),
  notAChoice: (path, value) => malformed(`${pointer(path)}: ${value} is not a valid enum value`),
};

const anthropicTypes: Record<JsonType, string> = {
  text: 'string',
  number: 'number',
  integer: 'integer',
  flag: 'boolean',
  list: 'list',
  object: 'dictionary',
};
const dotted = (path: readonly Step[]) => path.join('.');

export const anthropicWords: FieldWords = {
  missing: (path, name) => `${dotted([...path, name])}: Field required`,
  unknown: (path, name) => `${dotted([...path, name])}: Extra inputs are not permitted`,
  wrongType: (path, wanted) => `${dotted(path)}: Input should be a valid ${anthropicTypes[wanted]}`,
  tooSmall: (path, _, minimum) => `${dotted(path)}: Input should be greater than or equal to ${minimum}`,
  tooLarge: (path, _, maximum) => `${dotted(path)}: Input should be less than or equal to ${maximum}`,
  tooShort: (path, length, minimum, type) =>
    type === 'text'
      ? `${dotted(path)}: String should have at least ${minimum} character${minimum === 1 ? '' : 's'}`
      : `${dotted(path)}: List should have at least ${minimum} item${minimum === 1 ? '' : 's'}, not ${length}`,
  tooLong: (path, length, maximum, type) =>
    type === 'text'
      ? `${dotted(path)}: String should have at most ${maximum} characters`
      : `${dotted(path)}: List should have at most ${maximum} items, not ${length}`,
  notAChoice: (path, _, choices) =>
    `${dotted(path)}: Input should be ${choices.map((each) => `'${each}'`).join(' or ')}`,
};

/** `messages.1.member.content`, counted from 1. */
const member = (path: readonly Step[]) =>
  path.map((step) => (typeof step === 'number' ? `${step + 1}.member` : step)).join('.');
const constraint = (path: readonly Step[], problem: string) =>
  `1 validation error detected: Value at '${member(path)}' failed to satisfy constraint: Member must ${problem}`;

export const frameworkWords: FieldWords = {
  missing: (path, name) => constraint([...path, name], 'not be null'),
  unknown: (path, name) => `Unexpected field: ${member([...path, name])}`,
  wrongType: (path, wanted) =>
    `${path.length === 0 ? 'The request body' : `The field ${member(path)}`} must be of type ${anthropicTypes[wanted]}.`,
  tooSmall: (path, _, minimum) => constraint(path, `have value greater than or equal to ${minimum}`),
  tooLarge: (path, _, maximum) => constraint(path, `have value less than or equal to ${maximum}`),
  tooShort: (path, _, minimum) => constraint(path, `have length greater than or equal to ${minimum}`),
  tooLong: (path, _, maximum) => constraint(path, `have length less than or equal to ${maximum}`),
  notAChoice: (path, _, choices) => constraint(path, `satisfy enum value set: [${choices.join(', ')}]`),
};
