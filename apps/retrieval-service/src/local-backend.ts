import { createHash } from 'node:crypto';
import type { EmbedCall, EmbedInput, ModelBackend } from '@aquifer/bedrock-wire';
import { AquiferError, type Embedder, type Generator, parseBedrockModelId, type Reranker } from '@aquifer/contracts';
import { answerLocally } from './local-answers.js';
import { drawPlaceholder } from './placeholder-picture.js';

export interface LocalBackendOptions {
  /**
   * Which model of this machine answers for which of Bedrock's: by id, id without inference profile, or a beginning with `*`. What is not
   * named is answered by the built-in embedder and the built-in answerer. `bedrock` stands for the model of the id itself: of requests that name
   * their model in the path, a gateway passes those on before they come here.
   */
  readonly models?: Readonly<Record<string, string>>;
  readonly embedderByName: (name: string) => Promise<Embedder>;
  readonly generatorByName: (name: string) => Promise<Generator>;
  /** For models that rerank. Those that are named nowhere order texts by the built-in embedder. */
  readonly rerankerByName?: (name: string) => Promise<Reranker>;
}

/** A model of this name is the real Bedrock's of the id that was asked for. */
export const realBedrock = 'bedrock';

/** Dimensions of the built-in embedder; shorter vectors are beginnings of longer ones. */
const builtinDimensions = [256, 512, 1024, 1536];

/** Answers Bedrock's requests with models of this machine. */
export function createLocalBackend(options: LocalBackendOptions): ModelBackend {
  const models = options.models ?? {};
  const embedders = keptPromises(options.embedderByName);
  const generators = keptPromises(options.generatorByName);
  const rerankers = options.rerankerByName && keptPromises(options.rerankerByName);

  async function embedderFor({ modelId, dimensions }: EmbedCall): Promise<Embedder> {
    const name = nameOfModel(models, modelId);
    if (name !== 'builtin') return embedders(name);
    const enough = builtinDimensions.find((each) => each >= dimensions) ?? builtinDimensions.at(-1)!;
    return embedders(`builtin:${enough}`);
  }

  return {
    async embed(call) {
      const embedder = await embedderFor(call);
      // As questions, where nobody says what they are: the built-in embedder puts a weight of its own into every document, which between
      // two of them outweighs their words (nDCG@10 on cranfield: 0.03; both as questions 0.348; as they should be 0.354).
      const { purpose = 'query', signal } = call;
      const { vectors } = await embedder.embed(call.inputs.map(inputText), { purpose, signal });
      return vectors.map((vector) => fitted(vector, call, embedder));
    },
    async *generate(call) {
      yield* answerLocally(await generators(nameOfModel(models, call.modelId)), call);
    },
    image: async ({ modelId, prompt, negativePrompt, width, height, count, seed }) =>
      Array.from({ length: count }, (_, index) =>
        drawPlaceholder({ modelId, prompt, negativePrompt, width, height, seed: seed + index }),
      ),
    async rerank({ modelId, query, texts, signal }) {
      const name = nameOfModel(models, modelId);
      if (rerankers && name !== 'builtin') {
        return asShares(await (await rerankers(name)).rerank(query, texts, { signal }));
      }
      const embedder = await embedders('builtin');
      const [asked] = (await embedder.embed([query], { purpose: 'query', signal })).vectors;
      const { vectors } = await embedder.embed(texts, { purpose: 'document', signal });
      return vectors.map((vector) => Math.min(1, Math.max(0, cosine(asked!, vector))));
    },
  };
}

/** The name of the model that stands in for this one. */
export function mappedModel(models: Readonly<Record<string, string>>, modelId: string): string | undefined {
  const names = [modelId, parseBedrockModelId(modelId)?.baseId ?? modelId];
  for (const name of names) if (Object.hasOwn(models, name)) return models[name];
  const patterns = Object.keys(models)
    .filter((each) => each.endsWith('*') && names.some((name) => name.startsWith(each.slice(0, -1))))
    .sort((a, b) => b.length - a.length);
  return patterns[0] === undefined ? undefined : models[patterns[0]];
}

/** By what name the library finds the model that answers for this one. */
export function nameOfModel(models: Readonly<Record<string, string>>, modelId: string): string {
  const name = mappedModel(models, modelId) ?? 'builtin';
  return name === realBedrock ? modelId : name;
}

/** A picture has no words: it is embedded as the name that its bytes have, so that equal pictures have equal vectors and no others do. */
function inputText(input: EmbedInput): string {
  return input.type === 'text' ? input.text : `image ${createHash('sha256').update(input.bytes).digest('hex')}`;
}

/**
 * A vector of as many dimensions as were asked for. Zeros behind it change no cosine; a beginning is a vector of its own only for the
 * built-in embedder.
 */
function fitted(vector: Float32Array, { dimensions, modelId }: EmbedCall, embedder: Embedder): Float32Array {
  if (vector.length === dimensions) return vector;
  if (vector.length < dimensions) {
    const longer = new Float32Array(dimensions);
    longer.set(vector);
    return longer;
  }
  if (embedder.fingerprint.provider === 'builtin') return normalised(vector.subarray(0, dimensions));
  throw new AquiferError(
    'model-rejected',
    `${modelId} is answered by ${embedder.fingerprint.model}, whose vectors have ${vector.length} dimensions: ask for at least as many, not ${dimensions}.`,
  );
}

function normalised(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
  return vector.map((value) => value * scale);
}

/** Scores of cross-encoders are logits, those of services are between 0 and 1 already. */
function asShares(scores: readonly number[]): readonly number[] {
  if (scores.every((score) => score >= 0 && score <= 1)) return scores;
  return scores.map((score) => 1 / (1 + Math.exp(-score)));
}

function cosine(a: Float32Array, b: Float32Array): number {
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let index = 0; index < a.length; index++) {
    product += a[index]! * b[index]!;
    squaresA += a[index]! ** 2;
    squaresB += b[index]! ** 2;
  }
  return product === 0 ? 0 : product / Math.sqrt(squaresA * squaresB);
}

/** Loads each model once. A failure is not kept: the model may be there the next time. */
function keptPromises<Value>(load: (name: string) => Promise<Value>): (name: string) => Promise<Value> {
  const kept = new Map<string, Promise<Value>>();
  return (name) => {
    let known = kept.get(name);
    if (known === undefined) {
      known = load(name);
      kept.set(name, known);
      known.catch(() => kept.delete(name));
    }
    return known;
  };
}
