import { type CommandOptions, type Context, optionsOf, settingsOf } from '../context.js';

/** Speaks the Model Context Protocol with whoever started it, until they hang up. */
export async function run(context: Context, version: string, options: CommandOptions): Promise<void> {
  const settings = await settingsOf(context, options);
  const knowledgeBase = await optionsOf(context, settings);
  const { isPostgresLocation } = await import('aquifer');
  const { createDatabaseHost, createFolderHost, serveMcp } = await import('@aquifer/retrieval-service');
  const isDatabase = isPostgresLocation(knowledgeBase.location);
  const { searchParams } = isDatabase ? new URL(knowledgeBase.location) : { searchParams: undefined };
  const name = searchParams?.get('name');
  const host = isDatabase ? createDatabaseHost({ knowledgeBase }) : createFolderHost({ knowledgeBase });
  try {
    await serveMcp({
      host,
      tenant: searchParams?.get('tenant') ?? 'default',
      ...(name != null && { knowledgeBase: name }),
      signal: context.signal,
      version,
    });
  } finally {
    await host.close();
  }
}
