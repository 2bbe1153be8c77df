import { createHash } from 'node:crypto';
import type { Embedder, EmbedPurpose } from '@aquifer/contracts';
import { defaultTraits, knownTraits } from './onnx/known-models.js';

/** What somebody who runs a model on a server may know about it. */
export interface ServedModelOptions {
  /** Written before every question and every document, as the model was trained. Default: known for common models, else nothing. */
  readonly queryPrefix?: string;
  readonly documentPrefix?: string;
  /** Tokens of one text. Longer ones are embedded in parts where the server refuses them. */
  readonly maxInputTokens?: number;
  /** See `Embedder.fusionWeight`. */
  readonly fusionWeight?: number;
}

/** A model on a server: what its name and its owner say. */
export interface ServedModel extends Pick<Embedder, 'fusionWeight' | 'fusionCandidates'> {
  readonly maxInputTokens?: number;
  /** Part of the fingerprint's revision: other prefixes give other vectors. Empty where there are none. */
  readonly prefixRevision: string;
  withPrefix(texts: readonly string[], purpose: EmbedPurpose): readonly string[];
}

/** @param model As servers name it: `nomic-embed-text:latest`, `BAAI/bge-m3`. */
export function describeServedModel(model: string, options: ServedModelOptions): ServedModel {
  const known = knownTraits(model.replace(/:[^:/]*$/, ''));
  const query = options.queryPrefix ?? known.queryPrefix ?? '';
  const document = options.documentPrefix ?? known.documentPrefix ?? '';
  const maxInputTokens = options.maxInputTokens ?? known.maxTokens;
  const prefixes = JSON.stringify([query, document]);
  return {
    ...(maxInputTokens !== undefined && { maxInputTokens }),
    fusionWeight: options.fusionWeight ?? known.fusionWeight ?? defaultTraits.fusionWeight,
    fusionCandidates: known.fusionCandidates ?? defaultTraits.fusionCandidates,
    prefixRevision: query || document ? createHash('sha256').update(prefixes).digest('hex').slice(0, 8) : '',
    withPrefix(texts, purpose) {
      const prefix = purpose === 'query' ? query : document;
      return prefix === '' ? texts : texts.map((text) => prefix + text);
    },
  };
}
