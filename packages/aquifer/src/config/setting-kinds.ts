import { AquiferError } from '@aquifer/contracts';

/** How a setting's value is checked, wherever it comes from, and how JSON Schema describes it. */
export interface SettingKind<Value> {
  /** From a flag or a variable. `what` names it in the error. */
  parseText(text: string, what: string): Value;
  /** From the configuration file. */
  parseJson(value: unknown, what: string): Value;
  readonly schema: Readonly<Record<string, unknown>>;
}

function kind<Value extends string | number>(
  schema: Readonly<Record<string, unknown>>,
  wants: string,
  accept: (value: unknown) => value is Value,
  fromText: (text: string) => unknown,
): SettingKind<Value> {
  const parse = (value: unknown, shown: unknown, what: string): Value => {
    if (accept(value)) return value;
    throw new AquiferError('invalid-options', `${what} must be ${wants}, not ${JSON.stringify(shown)}.`);
  };
  return {
    schema,
    parseText: (text, what) => parse(fromText(text), text, what),
    parseJson: (value, what) => parse(value, value, what),
  };
}

export const text: SettingKind<string> = kind(
  { type: 'string', minLength: 1 },
  'a text that is not empty',
  (value): value is string => typeof value === 'string' && value.length > 0,
  (value) => value,
);

export function choice<const Value extends string>(values: readonly Value[]): SettingKind<Value> {
  return kind(
    { enum: values },
    `one of ${values.join(', ')}`,
    (value): value is Value => values.includes(value as Value),
    (value) => value,
  );
}

export function number(minimum: number, maximum: number, type: 'number' | 'integer' = 'number'): SettingKind<number> {
  return kind(
    { type, minimum, maximum },
    `${type === 'integer' ? 'a whole number' : 'a number'} from ${minimum} to ${maximum}`,
    (value): value is number =>
      typeof value === 'number' &&
      value >= minimum &&
      value <= maximum &&
      (type === 'number' || Number.isInteger(value)),
    (value) => (value.trim() === '' ? Number.NaN : Number(value)),
  );
}

export const integer = (minimum: number, maximum: number): SettingKind<number> => number(minimum, maximum, 'integer');

/** Yes or no: a flag and its `--no-…`, `true` or `false` in a variable. */
export const toggle: SettingKind<boolean> = {
  schema: { type: 'boolean' },
  parseText(value, what) {
    const known = /^(?:(true|1|yes|on)|false|0|no|off|)$/i.exec(value.trim());
    if (known) return known[1] !== undefined;
    throw new AquiferError('invalid-options', `${what} must be true or false, not ${JSON.stringify(value)}.`);
  },
  parseJson(value, what) {
    if (typeof value === 'boolean') return value;
    throw new AquiferError('invalid-options', `${what} must be true or false, not ${JSON.stringify(value)}.`);
  },
};

/** Texts, one a line in a flag or a variable. */
export const textList: SettingKind<readonly string[]> = {
  schema: { type: 'array', items: { type: 'string', minLength: 1 } },
  parseText: (value) => value.split('\n').filter((line) => line !== ''),
  parseJson(value, what) {
    if (Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '')) return value;
    throw new AquiferError(
      'invalid-options',
      `${what} must be a list of texts that are not empty, not ${JSON.stringify(value)}.`,
    );
  },
};

/** Names, separated by commas in a flag or a variable: `eng,jpn`. */
export const nameList: SettingKind<readonly string[]> = {
  schema: { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
  parseText: (value, what) => nameList.parseJson(value.split(/[\s,]+/).filter(Boolean), what),
  parseJson(value, what) {
    if (Array.isArray(value) && value.length > 0) return textList.parseJson(value, what);
    throw new AquiferError('invalid-options', `${what} must name at least one, not ${JSON.stringify(value)}.`);
  },
};

/** Names to names, one `name=name` a line in a flag or a variable. */
export const nameMap: SettingKind<Readonly<Record<string, string>>> = {
  schema: { type: 'object', additionalProperties: { type: 'string', minLength: 1 } },
  parseText(value, what) {
    const pairs = textList.parseText(value, what).map((line) => {
      const equals = line.indexOf('=');
      if (equals > 0) return [line.slice(0, equals).trim(), line.slice(equals + 1).trim()];
      throw new AquiferError('invalid-options', `${what} must be written name=name, not ${JSON.stringify(line)}.`);
    });
    return nameMap.parseJson(Object.fromEntries(pairs), what);
  },
  parseJson(value, what) {
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isMap && Object.values(value).every((each) => typeof each === 'string' && each !== '')) {
      return value as Readonly<Record<string, string>>;
    }
    throw new AquiferError(
      'invalid-options',
      `${what} must be an object of names, such as {"anthropic.*": "builtin"}, not ${JSON.stringify(value)}.`,
    );
  },
};
