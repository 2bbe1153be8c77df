import { type CommandOptions, type Context, printJson, settingsOf } from '../context.js';
import { table } from '../terminal/table.js';

export async function run(context: Context, options: CommandOptions): Promise<void> {
  const { settingNames, settings, variableOf, withoutPassword } = await import('aquifer');
  const { values, origins } = await settingsOf(context, options);
  const shown = settingNames.map((name) => {
    const value = name === 'kb' && values.kb !== undefined ? withoutPassword(values.kb) : values[name];
    const masked = settings[name].secret && value !== undefined ? '••••' : value;
    return { name, value: masked ?? null, from: origins[name], variable: variableOf(name) };
  });
  if (options.json) {
    printJson(context, Object.fromEntries(shown.map(({ name, value, from }) => [name, { value, from }])));
    return;
  }
  const rows = shown.map(({ name, value, from, variable }) => [name, valueText(value), from, variable]);
  const columns = [{ title: 'setting' }, { title: 'value' }, { title: 'from', shrinks: true }, { title: 'variable' }];
  for (const line of table(context.out, columns, rows)) context.out.line(line);
}

function valueText(value: unknown): string {
  if (value === null) return '–';
  if (Array.isArray(value)) return value.join('  ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
