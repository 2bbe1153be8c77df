import type { GeneratedImages, GenerateImageOptions } from '@aquifer/contracts';
import type { ModelOptions } from './model-options.js';
import { imageGeneratorByName } from './models-by-name.js';

export interface GenerateImageByNameOptions extends GenerateImageOptions {
  /** An id of Amazon Bedrock, such as `stability.sd3-5-large-v1:0` or `amazon.titan-image-generator-v2:0`. */
  readonly model: string;
  readonly models?: ModelOptions;
}

/**
 * Pictures from words, by a model of Amazon Bedrock.
 *
 * @throws `model-not-found`, `model-rejected` (a size that the model does not have), `model-filtered` (the provider withheld the picture), and
 *   what every model behind a network fails with
 * @example
 * const { images } = await generateImage('a lighthouse at dawn', { model: 'stability.sd3-5-large-v1:0', seed: 7 });
 */
export async function generateImage(prompt: string, options: GenerateImageByNameOptions): Promise<GeneratedImages> {
  const { model, models, ...imageOptions } = options;
  return (await imageGeneratorByName(model, models)).generateImage(prompt, imageOptions);
}
