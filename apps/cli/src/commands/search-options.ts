import type { Filter, LoadedSettings, SearchOptions } from 'aquifer';
import type { CommandOptions } from '../context.js';

export type SearchingOptions = CommandOptions & { readonly filter?: string; readonly explain?: boolean };

/** What `search` and `ask` have in common. @throws `invalid-filter`, `invalid-options` */
export async function searchOptions(
  options: SearchingOptions,
  { values }: LoadedSettings,
  signal: AbortSignal,
): Promise<SearchOptions> {
  return {
    limit: values.limit,
    mode: values.mode,
    fusion: values.fusion,
    denseWeight: values.denseWeight,
    filter: options.filter === undefined ? undefined : await parseFilterText(options.filter),
    signal,
  };
}

async function parseFilterText(text: string): Promise<Filter> {
  const { AquiferError, parseFilter } = await import('aquifer');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AquiferError(
      'invalid-filter',
      `--filter is not valid JSON (${(error as Error).message}). Write it like '{"equals":{"key":"country","value":"JP"}}'.`,
      { cause: error },
    );
  }
  return parseFilter(value);
}
