import type { ModelDescription } from '@aquifer/models';

/** A model that can be named without more: on this machine, or on Amazon Bedrock. */
export interface ListedModel extends Omit<ModelDescription, 'family'> {
  /** Absent for what runs here. */
  readonly family?: ModelDescription['family'];
}

const builtin: readonly ListedModel[] = [
  {
    id: 'builtin',
    provider: 'aquifer',
    kind: 'embedding',
    dimensions: [1024, 1536, 512, 256],
    usdPerMillionInputTokens: 0,
    note: 'the default, on this machine',
  },
  {
    id: 'builtin',
    provider: 'aquifer',
    kind: 'text',
    streams: true,
    usdPerMillionInputTokens: 0,
    usdPerMillionOutputTokens: 0,
    note: 'the default: quotes, does not reason',
  },
];

/**
 * The models that are known by name, with their limits and prices: those built in, then those of Amazon Bedrock. Others of Bedrock's
 * families are taken, too.
 *
 * @example
 * const embedders = (await listModels()).filter(({ kind }) => kind === 'embedding');
 */
export async function listModels(): Promise<readonly ListedModel[]> {
  const { modelCatalogue } = await import('@aquifer/models/model-catalogue');
  return [...builtin, ...modelCatalogue];
}
