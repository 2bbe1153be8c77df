import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  AquiferError,
  type Embedder,
  type Generator,
  type ImageGenerator,
  parseBedrockModelId,
  type Reranker,
} from '@aquifer/contracts';
import type { BedrockModelKind, Pacer } from '@aquifer/models';
import type { BuiltWith } from './index-manifest.js';
import type { KnowledgeBaseOptions } from './knowledge-base.js';
import type { ModelOptions } from './model-options.js';

const builtinDimensions = [1536, 1024, 512, 256] as const;
const bedrockHint = 'an id of Amazon Bedrock (npx aquifer models lists them)';

export interface OpenedEmbedder {
  readonly embedder: Embedder;
  /** Closes what was opened here; an embedder that a program passed in stays open. */
  close(): Promise<void>;
}

/**
 * The embedder of an index: the object that was passed in, or the one of the recorded name: `builtin`, `builtin:512`, `builtin:256`,
 * `onnx:<folder or hub id>`, `ollama:<model>`, `openai:<model>`, `sagemaker:<endpoint>`, or an id of Amazon Bedrock.
 *
 * @throws `model-not-found` for any other name, `invalid-options` for dimensions that the model does not have.
 */
export async function embedderFor(
  { embedder: asked, models }: Pick<KnowledgeBaseOptions, 'embedder' | 'models'>,
  builtWith: BuiltWith,
): Promise<OpenedEmbedder> {
  if (typeof asked === 'object') return { embedder: asked, async close() {} };
  const embedder = await embedderByName(builtWith.embedderName, {
    ...models,
    dimensions: builtWith.embedderDimensions,
  });
  return { embedder, close: async () => embedder.close?.() };
}

/** How an embedder is recorded with an index: by a name that means the same from every folder. */
export function embedderNameOf(embedder: string | Embedder): string {
  if (typeof embedder === 'object') {
    const { provider, model } = embedder.fingerprint;
    return `${provider}:${model}`;
  }
  const model = embedder.startsWith('onnx:') ? embedder.slice('onnx:'.length) : undefined;
  return model !== undefined && existsSync(model) ? `onnx:${resolve(model)}` : embedder;
}

interface EmbedderByNameOptions extends ModelOptions {
  readonly dimensions?: number | undefined;
}

/** @throws `model-not-found`, `invalid-options`, and what the model is opened with */
export async function embedderByName(name: string, options: EmbedderByNameOptions = {}): Promise<Embedder> {
  const { dimensions } = options;
  const [kind, model] = splitName(name);
  if (kind === 'builtin') {
    const chosen = builtinDimensions.find((size) => size === (model === '' ? (dimensions ?? 1024) : Number(model)));
    if (chosen !== undefined) {
      return (await import('@aquifer/models/builtin-embedder')).createBuiltinEmbedder({ dimensions: chosen });
    }
    const sizes = builtinDimensions.join(', ');
    const wanted = model === '' ? `dimensions of ${dimensions}` : `embedder "${name}"`;
    throw new AquiferError('model-not-found', `There is no ${wanted}: the built-in embedder has ${sizes}.`);
  }
  if (kind === 'onnx') return (await import('@aquifer/models/onnx-embedder')).createOnnxEmbedder({ model });
  if (kind === 'ollama') {
    const { createOllamaEmbedder } = await import('@aquifer/models/ollama-embedder');
    const pacer = await pacerFor(name, options.ollama, options);
    return createOllamaEmbedder({ model, dimensions, ...options.ollama, pacer });
  }
  if (kind === 'openai') {
    const { createOpenAiEmbedder } = await import('@aquifer/models/openai-embedder');
    const pacer = await pacerFor(name, options.openai, options);
    return createOpenAiEmbedder({ model, dimensions, ...options.openai, pacer });
  }
  if (kind === 'sagemaker') {
    const { createSageMakerEmbedder } = await import('@aquifer/models/sagemaker-embedder');
    const pacer = await pacerFor(name, options.sagemaker, options);
    return createSageMakerEmbedder({ endpoint: model, dimensions, connection: options.sagemaker, pacer });
  }
  if (await isOfBedrock(name, 'embedding', options)) {
    const { createBedrockEmbedder } = await import('@aquifer/models/bedrock-embedder');
    const { bedrock: connection, requestsPerMinute, tokensPerMinute, sharedQuota } = options;
    const pacer = await pacerFor(name, connection, options);
    const quotas = { requestsPerMinute, tokensPerMinute, sharedQuota };
    return createBedrockEmbedder({ model: name, dimensions, connection, ...quotas, pacer });
  }
  throw notFound('embedder', name, [`builtin (also ${builtinDimensions.map((size) => `builtin:${size}`).join(', ')})`]);
}

/**
 * The generator itself, or the one of this name: `builtin`, `ollama:<model>`, `openai:<model>`, `sagemaker:<endpoint>`, or an id of Amazon Bedrock.
 *
 * @throws `model-not-found` for any other name.
 */
export async function generatorFor(model: string | Generator, options: ModelOptions = {}): Promise<Generator> {
  return typeof model === 'object' ? model : await generatorByName(model, options);
}

/** @throws `model-not-found`, and what the model is opened with */
export async function generatorByName(name: string, options: ModelOptions = {}): Promise<Generator> {
  const [kind, model] = splitName(name);
  const { contextTokens, deadlineMs } = options;
  if (name === 'builtin') return (await import('@aquifer/models/builtin-answerer')).createBuiltinAnswerer();
  if (kind === 'ollama') {
    const { createOllamaGenerator } = await import('@aquifer/models/ollama-generator');
    const pacer = await pacerFor(name, options.ollama, { deadlineMs });
    return createOllamaGenerator({ model, ...options.ollama, contextTokens, pacer });
  }
  if (kind === 'openai') {
    const { createOpenAiGenerator } = await import('@aquifer/models/openai-generator');
    const pacer = await pacerFor(name, options.openai, { deadlineMs });
    return createOpenAiGenerator({ model, ...options.openai, contextTokens, pacer });
  }
  if (kind === 'sagemaker') {
    const { createSageMakerGenerator } = await import('@aquifer/models/sagemaker-generator');
    const pacer = await pacerFor(name, options.sagemaker, { deadlineMs });
    return createSageMakerGenerator({ endpoint: model, connection: options.sagemaker, contextTokens, pacer });
  }
  if (await isOfBedrock(name, 'text', options)) {
    const { createBedrockGenerator } = await import('@aquifer/models/bedrock-generator');
    const pacer = await pacerFor(name, options.bedrock, { deadlineMs });
    return createBedrockGenerator({ model: name, connection: options.bedrock, contextTokens, pacer });
  }
  throw notFound('model', name, ['builtin']);
}

/**
 * The reranker itself, or the one of this name: `onnx:<folder>`, or an id of Amazon Bedrock.
 *
 * @throws `model-not-found` for any other name.
 */
export async function rerankerFor(model: string | Reranker, options: ModelOptions = {}): Promise<Reranker> {
  if (typeof model === 'object') return model;
  if (model.startsWith('onnx:')) {
    const { createOnnxReranker } = await import('@aquifer/models/onnx-reranker');
    return createOnnxReranker({ model: model.slice('onnx:'.length) });
  }
  if (await isOfBedrock(model, 'rerank', options)) {
    const { createBedrockReranker } = await import('@aquifer/models/bedrock-reranker');
    const { region, profile } = options.bedrock ?? {};
    const connection = {
      ...(region !== undefined && { region }),
      ...(profile !== undefined && { profile }),
      ...options.bedrockAgent,
    };
    const pacer = await pacerFor(model, connection, { deadlineMs: options.deadlineMs });
    return createBedrockReranker({ model, connection, pacer });
  }
  throw new AquiferError(
    'model-not-found',
    `There is no reranker "${model}". Choose onnx:<folder>, or ${bedrockHint}.`,
  );
}

/** @throws `model-not-found` */
export async function imageGeneratorByName(name: string, options: ModelOptions = {}): Promise<ImageGenerator> {
  if (await isOfBedrock(name, 'image', options)) {
    const { createBedrockImageGenerator } = await import('@aquifer/models/bedrock-image-generator');
    const pacer = await pacerFor(name, options.bedrock, { deadlineMs: options.deadlineMs });
    return createBedrockImageGenerator({ model: name, connection: options.bedrock, pacer });
  }
  throw new AquiferError('model-not-found', `There is no model "${name}" that makes pictures. Choose ${bedrockHint}.`);
}

/** `onnx:./models/e5` → `onnx` and `./models/e5`. Ids of Bedrock have colons, too, but their first part has dots. */
function splitName(name: string): readonly [kind: string, model: string] {
  const colon = name.indexOf(':');
  return colon < 0 ? [name, ''] : [name.slice(0, colon), name.slice(colon + 1)];
}

/** Where a model is reached, of whatever provider. Nothing secret: a shared quota's name goes to a database. */
interface Place {
  readonly client?: object;
  readonly region?: string;
  readonly endpoint?: string;
  readonly profile?: string;
  readonly baseUrl?: string;
}

/**
 * The pace that was asked for, shared by all of this process that asks for the same at the same place; undefined where the model's own will do.
 * The quota is the embedder's: other models are given the deadline alone.
 */
async function pacerFor(
  name: string,
  { client, region, endpoint, profile, baseUrl }: Place = {},
  options: Pick<ModelOptions, 'requestsPerMinute' | 'tokensPerMinute' | 'deadlineMs' | 'sharedQuota'>,
): Promise<Pacer | undefined> {
  const { requestsPerMinute, tokensPerMinute, deadlineMs, sharedQuota } = options;
  const pace = { requestsPerMinute, tokensPerMinute, deadlineMs };
  if (Object.values(pace).every((value) => value === undefined)) return undefined;
  const { sharedPacer } = await import('@aquifer/models/shared-pacers');
  const where = client ? 'client' : JSON.stringify([region, endpoint, profile, baseUrl]);
  const key = JSON.stringify([name, where]);
  return sharedPacer(key, { name, ...pace, shared: sharedQuota && { quota: sharedQuota, key } }, client);
}

/**
 * Whether Amazon Bedrock has a model of this id for this use; warns of one that is not in the catalogue.
 *
 * @throws `invalid-options` for a model of another use.
 */
async function isOfBedrock(
  id: string,
  use: BedrockModelKind,
  { contextTokens, onWarning }: ModelOptions,
): Promise<boolean> {
  // Without loading the catalogue for a name that cannot be in it.
  const parsed = parseBedrockModelId(id);
  if (parsed === undefined) return false;
  const { describeModel } = await import('@aquifer/models/model-catalogue');
  const found = describeModel(id);
  if (found === undefined) return false;
  const { description, isKnown } = found;
  if (parsed.hidesModel) {
    // Only text models can be spoken with without knowing which it is: the other adapters refuse, and say what to do.
    if (use === 'text') {
      const context = (contextTokens ?? description.contextTokens)?.toLocaleString('en');
      onWarning?.(
        `${id} does not say which model is behind it: it is spoken with by Converse, its context is taken to be ${context} tokens, and its price ` +
          `is not known. Name the model behind an @: ${id}@<id of the model>`,
      );
    }
    return true;
  }
  if (description.kind !== use) {
    throw new AquiferError('invalid-options', `${id} ${whatItDoes[description.kind]}; it ${whatItCannot[use]}.`);
  }
  if (!isKnown) {
    onWarning?.(
      `${id} is not in the catalogue (npx aquifer models): its limits are taken to be those of its family, and its price is not known.`,
    );
  }
  return true;
}

const whatItDoes: Readonly<Record<BedrockModelKind, string>> = {
  embedding: 'embeds texts (--embedder)',
  text: 'answers (--model)',
  rerank: 'reranks (--reranker)',
  image: 'makes pictures (generateImage)',
};
const whatItCannot: Readonly<Record<BedrockModelKind, string>> = {
  embedding: 'cannot embed',
  text: 'cannot answer',
  rerank: 'cannot rerank',
  image: 'cannot make pictures',
};

function notFound(what: string, name: string, here: readonly string[]): AquiferError {
  const choices = [...here, 'onnx:<folder or hub id>', 'ollama:<model>', 'openai:<model>', 'sagemaker:<endpoint>'];
  const offered = what === 'embedder' ? choices : choices.filter((choice) => !choice.startsWith('onnx:'));
  return new AquiferError(
    'model-not-found',
    `There is no ${what} "${name}". Choose ${offered.join(', ')}, or ${bedrockHint}.`,
  );
}
