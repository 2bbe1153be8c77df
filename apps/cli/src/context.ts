import type { KnowledgeBase, KnowledgeBaseOptions, LoadedSettings, SettingName } from 'aquifer';
import type { Terminal } from './terminal/terminal.js';

/** What a command is given instead of globals. */
export interface Context {
  /** Where results go. With `--json`, nothing but JSON. */
  readonly out: Terminal;
  /** Diagnostics and progress. */
  readonly err: Terminal;
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  setExitCode(code: ExitCode): void;
}

/** 0 done; 1 failed; 2 wrong usage; 3 done, but some documents failed; 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

/** Options that every command has, and the settings among a command's own, as commander delivers them. */
export type CommandOptions = Partial<Record<SettingName, string | readonly string[] | boolean>> & {
  readonly json?: boolean;
  readonly config?: string;
};

export async function settingsOf(context: Context, options: CommandOptions): Promise<LoadedSettings> {
  const { loadSettings, settingNames } = await import('aquifer');
  const flags: Partial<Record<SettingName, string>> = {};
  for (const name of settingNames) {
    const value = options[name];
    if (value === undefined) continue;
    // Lists are texts of one item a line; `--no-…` gives an empty one.
    if (typeof value === 'string') flags[name] = value;
    else if (typeof value === 'boolean') flags[name] = value ? 'true' : '';
    else flags[name] = value.join('\n');
  }
  return loadSettings({ flags, file: options.config, environment: context.environment });
}

/** The settings as options of the library, with its warnings on stderr. */
export async function optionsOf(context: Context, settings: LoadedSettings): Promise<KnowledgeBaseOptions> {
  const { knowledgeBaseOptions } = await import('aquifer');
  const options = await knowledgeBaseOptions(settings.values);
  const onWarning = (message: string) => context.err.line(`${context.err.style('yellow', '!')} ${message}`);
  return { ...options, models: { ...options.models, onWarning } };
}

/** Opens the knowledge base that the settings name, hands it to `use`, and closes it whatever happens. */
export async function withKnowledgeBase<Result>(
  context: Context,
  settings: LoadedSettings,
  mode: NonNullable<KnowledgeBaseOptions['mode']>,
  use: (knowledgeBase: KnowledgeBase) => Promise<Result>,
): Promise<Result> {
  const { openKnowledgeBase } = await import('aquifer');
  const options = await optionsOf(context, settings);
  // A command that reads asks one question and ends; starting threads would take longer than that.
  const knowledgeBase = await openKnowledgeBase({ ...options, mode, ownThreads: mode === 'write' });
  try {
    return await use(knowledgeBase);
  } finally {
    await knowledgeBase.close();
  }
}

export function printJson(context: Context, value: unknown): void {
  context.out.line(JSON.stringify(value));
}
