import { AquiferError } from '@aquifer/contracts';
import type { EmbeddedBatch } from './paced-embedder.js';
import type { Pacer } from './pacer.js';

/** Embeds one word to see how long the vectors are. */
export async function findDimensions(
  pacer: Pacer,
  embedOne: (signal: AbortSignal) => Promise<EmbeddedBatch>,
): Promise<number> {
  const batch = await pacer.run({ tokens: 2, attempt: async (signal) => ({ value: await embedOne(signal) }) });
  const length = batch.vectors[0]?.length ?? 0;
  if (length > 0) return length;
  throw new AquiferError('model-failed', 'The model server gave no vector for a word, so its dimensions are unknown.');
}
