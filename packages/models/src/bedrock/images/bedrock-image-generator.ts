import {
  AquiferError,
  type BedrockFamily,
  type BedrockModelId,
  describeError,
  type GeneratedImage,
  type ImageGenerator,
  isAquiferError,
  parseBedrockModelId,
  throwIfAborted,
} from '@aquifer/contracts';
import type { Pacer } from '../../pacing/pacer.js';
import { type BedrockConnection, bedrockAddress, bedrockClient } from '../bedrock-client.js';
import { bedrockPacer } from '../bedrock-pacer.js';
import { hiddenModel } from '../hidden-model.js';
import { invokeModel } from '../invoke-model.js';
import type { ImageFamily, ReceivedImage } from './image-family.js';
import { stabilityImage } from './stability-image.js';
import { stableDiffusion } from './stable-diffusion.js';
import { titanImage } from './titan-image.js';

export interface BedrockImageGeneratorOptions {
  /** A model id or ARN: `amazon.nova-canvas-v1:0`, `stability.stable-image-core-v1:1`. */
  readonly model: string;
  readonly connection?: BedrockConnection;
  /** Default: the one that all requests of this process to this model at this address share. */
  readonly pacer?: Pacer;
}

const families: Partial<Record<BedrockFamily, ImageFamily>> = {
  'stable-diffusion': stableDiffusion,
  'stability-image': stabilityImage,
  'titan-image': titanImage,
};

/** What providers say of a prompt that their filters stopped, as a ValidationException. */
const filtered = /content (?:filter|polic)|blocked by|responsible ai|\bAUP\b/i;

/**
 * An image model of Amazon Bedrock by its id. Several pictures of one prompt take as many requests as the model needs; equal seeds and options give
 * equal pictures. Nothing is asked before the first `generateImage`.
 *
 * @throws `model-not-found` for an id of no known family, `invalid-options` for a model that makes no pictures, or a client that retries by
 *   itself.
 *
 * @example
 * const generator = await createBedrockImageGenerator({ model: 'amazon.nova-canvas-v1:0' });
 * const { images } = await generator.generateImage('A lighthouse at dusk', { width: 1024, height: 1024, seed: 7 });
 * await writeFile('lighthouse.png', images[0].bytes);
 */
export async function createBedrockImageGenerator(options: BedrockImageGeneratorOptions): Promise<ImageGenerator> {
  const { model: name, connection = {} } = options;
  const { id: modelId, family, region } = knownImageModel(name);
  const client = await bedrockClient({ ...(region !== undefined && { region }), ...connection });
  const address = await bedrockAddress(client);
  const context = { modelId, ...address };
  const pacer = options.pacer ?? bedrockPacer(modelId, address);

  async function ask(body: object, signal: AbortSignal): Promise<readonly GeneratedImage[]> {
    try {
      const response = await invokeModel(client, { body, signal, context });
      return family.read(response.body).map((image) => decoded(image, modelId));
    } catch (error) {
      if (isAquiferError(error, 'model-rejected') && filtered.test(error.message)) {
        throw describeError(error, { code: 'model-filtered', message: error.message });
      }
      if (!(error instanceof TypeError) || isAquiferError(error)) throw error;
      throw new AquiferError('model-failed', `The answer of ${modelId} cannot be read: ${error.message}.`, {
        cause: error,
      });
    }
  }

  return {
    id: name,
    async generateImage(prompt, { count = 1, seed, signal, ...wanted } = {}) {
      throwIfAborted(signal);
      if (!Number.isInteger(count) || count < 1) {
        throw new AquiferError('invalid-options', `count must be a whole number from 1 on, not ${count}.`);
      }
      const images: GeneratedImage[] = [];
      while (images.length < count) {
        const number = Math.min(family.maxImages, count - images.length);
        // Equal seeds would give the same picture again.
        const own = seed === undefined ? undefined : seed + images.length;
        const body = family.request({
          ...wanted,
          modelId,
          prompt,
          count: number,
          ...(own !== undefined && { seed: own }),
        });
        const made = await pacer.run({
          tokens: 1,
          ...(signal && { signal }),
          attempt: async (attemptSignal) => ({ value: await ask(body, attemptSignal) }),
        });
        if (made.length !== number) {
          throw new AquiferError(
            'model-failed',
            `${modelId} gave ${made.length} pictures where ${number} were asked for.`,
          );
        }
        images.push(...made.map((image) => (number === 1 && own !== undefined ? { seed: own, ...image } : image)));
      }
      return { images };
    },
  };
}

function knownImageModel(modelId: string): Omit<BedrockModelId, 'family'> & { readonly family: ImageFamily } {
  const parsed = parseBedrockModelId(modelId);
  if (parsed === undefined) {
    throw new AquiferError(
      'model-not-found',
      `"${modelId}" is no id of a Bedrock model that is known here. Image models are amazon.nova-canvas-v1:0, stability.stable-image-core-v1:1 and others.`,
    );
  }
  if (parsed.hidesModel) throw hiddenModel(modelId, 'amazon.nova-canvas-v1:0');
  const family = families[parsed.family];
  if (family === undefined) {
    throw new AquiferError(
      'invalid-options',
      `${modelId} makes no pictures. Use an image model, such as amazon.nova-canvas-v1:0.`,
    );
  }
  return { ...parsed, family };
}

/** First bytes of a file, by what is in it. */
const signatures: readonly (readonly [mediaType: string, pattern: RegExp])[] = [
  ['image/png', /^\x89PNG\r\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/webp', /^RIFF....WEBP/s],
];

function decoded(image: ReceivedImage, modelId: string): GeneratedImage {
  if ('withheld' in image) {
    const { withheld, isFiltered } = image;
    if (isFiltered) {
      throw new AquiferError(
        'model-filtered',
        `${modelId} withheld the picture: ${withheld}. Word the prompt in another way.`,
      );
    }
    throw new AquiferError('model-failed', `${modelId} made no picture: ${withheld}.`, { retryable: true });
  }
  const bytes = new Uint8Array(Buffer.from(image.base64, 'base64'));
  const start = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  const mediaType = signatures.find(([, pattern]) => pattern.test(start))?.[0];
  if (mediaType === undefined) {
    throw new AquiferError('model-failed', `${modelId} gave something that is no picture (${bytes.length} bytes).`);
  }
  return { bytes, mediaType, ...(image.seed !== undefined && { seed: image.seed }) };
}
