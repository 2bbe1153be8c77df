import { join } from 'node:path';
import { AquiferError } from '@aquifer/contracts';
import { loadTransformers } from '../onnx/load-transformers.js';
import type { ModelTokenizer, PairTemplate } from '../onnx/model-tokenizer.js';
import { sessionSettings } from '../onnx/session-settings.js';
import type { CrossEncoderFolder } from './cross-encoder-folder.js';

export interface LoadedCrossEncoder {
  /**
   * How well a text answers a query, 0 to 1: the sigmoid of the model's logit. A text that is too long is scored in parts of equal length,
   * and the best part counts (MaxP: Dai and Callan 2019, "Deeper Text Understanding for IR with Contextual Neural Language Modeling").
   *
   * @throws `too-large` for a query that leaves no room for a text, `model-failed`
   */
  score(query: string, text: string): Promise<number>;
}

/** A text needs some room beside the query, or its parts say nothing. */
const minTextTokens = 32;

/**
 * Loads the weights of a described model. Blocks its thread while a model runs, so call it in a worker. One pair goes through the model at
 * a time, for the reason that `onnx/run-model.ts` gives.
 */
export async function loadCrossEncoder(
  description: CrossEncoderFolder,
  tokenizer: ModelTokenizer,
  threads: number,
): Promise<LoadedCrossEncoder> {
  const { folder, dtype, subfolder, name, maxTokens } = description;
  const failed = (what: string, cause?: unknown): AquiferError =>
    new AquiferError('model-failed', `The model in ${folder} ${what}`, { cause });
  const { AutoModelForSequenceClassification, Tensor, env } = await loadTransformers();
  // A folder is a folder: whatever it lacks is an error, never a download.
  env.allowRemoteModels = false;
  const model = await AutoModelForSequenceClassification.from_pretrained(folder, {
    dtype,
    subfolder,
    ...sessionSettings(threads),
  }).catch((error: unknown) => {
    throw failed(
      `could not be loaded (${join(subfolder, '…')}, ${dtype}): ${messageOf(error)} Fetch or export it again.`,
      error,
    );
  });
  let template: PairTemplate;
  try {
    template = tokenizer.pairTemplate();
  } catch (error) {
    throw failed(`cannot take two texts: ${messageOf(error)}.`, error);
  }
  const { before, between, after } = template;
  const special = before.length + between.length + after.length;

  async function logitOf(query: readonly number[], part: readonly number[]): Promise<number> {
    const ids = [...before, ...query, ...between, ...part, ...after];
    const first = before.length + query.length;
    const second = part.length + after.length;
    const types = [
      ...new Array<number>(first).fill(template.firstType),
      ...template.betweenTypes,
      ...new Array<number>(second).fill(template.secondType),
    ];
    const shape = [1, ids.length];
    let output: Record<string, InstanceType<typeof Tensor>>;
    try {
      output = await model({
        input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), shape),
        attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), shape),
        token_type_ids: new Tensor('int64', BigInt64Array.from(types, BigInt), shape),
      });
    } catch (error) {
      throw failed(`could not run: ${messageOf(error)}`, error);
    }
    const logits = output.logits?.data;
    if (logits?.length !== 1) {
      throw failed(`gives ${logits?.length ?? 'no'} scores for a text, not one: it is no cross-encoder.`);
    }
    const logit = Number(logits[0]);
    if (!Number.isFinite(logit)) throw failed('gives a score that is not finite.');
    return logit;
  }

  return {
    async score(query, text) {
      const queryIds = tokenizer.encodeBare(query);
      const textIds = tokenizer.encodeBare(text);
      const room = maxTokens - special - queryIds.length;
      if (room < Math.min(minTextTokens, textIds.length)) {
        throw new AquiferError(
          'too-large',
          `The query has ${queryIds.length} tokens, and the reranker ${name} takes ${maxTokens} with the text. Ask a shorter question, or search without the reranker.`,
        );
      }
      let best = Number.NEGATIVE_INFINITY;
      for (const part of partsOf(textIds, room)) best = Math.max(best, await logitOf(queryIds, part));
      return 1 / (1 + Math.exp(-best));
    },
  };
}

/** As few parts as there must be, of equal length. */
function partsOf(ids: readonly number[], maxLength: number): readonly (readonly number[])[] {
  const count = Math.max(1, Math.ceil(ids.length / maxLength));
  const length = Math.ceil(ids.length / count);
  return Array.from({ length: count }, (_, index) => ids.slice(index * length, (index + 1) * length));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
