import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { AquiferError } from '@aquifer/contracts';
import {
  flagOf,
  type Setting,
  type SettingName,
  type SettingValues,
  settingNames,
  settings,
  variableOf,
} from './settings.js';

export const configurationFileName = 'aquifer.config.json';

export interface LoadSettingsOptions {
  /** From the command line, by setting name, not checked yet. They win over variables, and variables over the file. */
  readonly flags?: Readonly<Partial<Record<SettingName, string>>>;
  /** Default: `aquifer.config.json` in the current folder, if there is one. */
  readonly file?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
}

export interface LoadedSettings {
  readonly values: SettingValues;
  /** Where each value came from: `--kb`, `AQUIFER_KB`, the file's path, `default`, or `not set`. */
  readonly origins: Readonly<Record<SettingName, string>>;
}

// Paths in the file are relative to the file, so that it means the same from every folder.
const pathSettings: readonly SettingName[] = [
  'kb',
  'kbPasswordFile',
  'passwordFile',
  'encryptionKeyFile',
  'keyFile',
  'promptLog',
];

/**
 * The settings in force, each with its origin.
 *
 * @throws `invalid-options` for an unknown key or a value that does not fit, naming the file, variable or flag, and for an
 * encryption key that is there but empty.
 */
export function loadSettings(options: LoadSettingsOptions = {}): LoadedSettings {
  const environment = options.environment ?? process.env;
  const folder = options.folder ?? process.cwd();
  const path = resolve(folder, options.file ?? configurationFileName);
  const file = readConfigurationFile(path, options.file !== undefined);

  const values: Record<string, unknown> = {};
  const origins = {} as Record<SettingName, string>;
  for (const name of settingNames) {
    const { kind, fallback, alsoVariable } = settings[name] as Setting<unknown>;
    const flag = options.flags?.[name];
    const variableName = [variableOf(name), alsoVariable].find((each) => each && environment[each]);
    const variable = variableName && environment[variableName];
    if (flag !== undefined) {
      values[name] = kind.parseText(flag, `--${flagOf(name)}`);
      origins[name] = `--${flagOf(name)}`;
    } else if (variable && variableName) {
      values[name] = kind.parseText(variable, variableName);
      origins[name] = variableName;
    } else if (Object.hasOwn(file, name)) {
      const value = kind.parseJson(file[name], `${path}: "${name}"`);
      values[name] = pathSettings.includes(name) ? relativeTo(dirname(path), value as string) : value;
      origins[name] = path;
    } else {
      if (fallback !== undefined) values[name] = fallback;
      origins[name] = fallback === undefined ? 'not set' : 'default';
    }
  }
  refuseEmptyKey(values, environment);
  return { values: values as SettingValues, origins };
}

/**
 * An empty variable counts as not set, but not where a key was meant: what somebody wants encrypted would be written in plain,
 * because their secret was not there.
 */
function refuseEmptyKey(values: SettingValues, environment: Readonly<Record<string, string | undefined>>): void {
  if (values.encryptionKey !== undefined || values.encryptionKeyFile !== undefined) return;
  const empty = [variableOf('encryptionKey'), variableOf('encryptionKeyFile')].find((name) => environment[name] === '');
  if (empty === undefined) return;
  throw new AquiferError(
    'invalid-options',
    `${empty} is empty, and nothing else gives a key: fill it, or, for an index that is not encrypted, unset it (unset ${empty}).`,
  );
}

function relativeTo(folder: string, path: string): string {
  return isAbsolute(path) || /^[a-z]{2,}:/i.test(path) ? path : join(folder, path);
}

function readConfigurationFile(path: string, required: boolean): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!required && (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new AquiferError(
      'invalid-options',
      `Cannot read the configuration file ${path}: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new AquiferError('invalid-options', `${path} is not valid JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new AquiferError('invalid-options', `${path} must hold an object, such as {"kb": ".aquifer"}.`);
  }
  const known: readonly string[] = ['$schema', ...settingNames];
  for (const key of Object.keys(parsed)) {
    if (known.includes(key)) continue;
    throw new AquiferError(
      'invalid-options',
      `${path}: unknown setting "${key}". There are: ${settingNames.join(', ')}.`,
    );
  }
  return parsed as Record<string, unknown>;
}
