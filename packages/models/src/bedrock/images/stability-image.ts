import { AquiferError } from '@aquifer/contracts';
import { type ImageFamily, listOf, sizeOf, textOf } from './image-family.js';

const shapes = ['1:1', '16:9', '9:16', '21:9', '9:21', '3:2', '2:3', '5:4', '4:5'] as const;
/** Sides are multiples of 64, so 1344 × 768 is meant to be 16:9. */
const shapeTolerance = 0.03;

/**
 * Stable Image Core and Ultra, and SD3. They have shapes and no sizes: about a million pixels.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-stable-ultra-text-image-request-response.html
 */
export const stabilityImage: ImageFamily = {
  maxImages: 1,
  request(request) {
    const { prompt, negativePrompt, seed, modelId } = request;
    const size = sizeOf(request);
    return {
      prompt,
      ...(negativePrompt && { negative_prompt: negativePrompt }),
      ...(size && { aspect_ratio: shapeOf(size.width, size.height, modelId) }),
      ...(seed !== undefined && { seed }),
      output_format: 'png',
    };
  },
  read(body) {
    const { images, seeds, finish_reasons: reasons } = Object(body) as Record<string, unknown>;
    const withheld = Array.isArray(reasons) ? reasons.find((reason) => typeof reason === 'string') : undefined;
    if (withheld !== undefined) return [{ withheld, isFiltered: /filter/i.test(withheld) }];
    return listOf(images, 'images').map((image, index) => {
      const seed: unknown = Array.isArray(seeds) ? seeds[index] : undefined;
      return { base64: textOf(image, 'images'), ...(typeof seed === 'number' && { seed }) };
    });
  },
};

function shapeOf(width: number, height: number, modelId: string): string {
  const shape = shapes.find((name) => {
    const [across, down] = name.split(':').map(Number);
    return Math.abs((width * down!) / (height * across!) - 1) < shapeTolerance;
  });
  if (shape !== undefined) return shape;
  throw new AquiferError(
    'model-rejected',
    `${modelId} makes no pictures of ${width} × ${height}. It has the shapes ${shapes.join(', ')}.`,
  );
}
