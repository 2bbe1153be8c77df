import { type ImageFamily, listOf, sizeOf, textOf } from './image-family.js';

/**
 * Titan Image Generator and Nova Canvas.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-image.html and
 * https://docs.aws.amazon.com/nova/latest/userguide/image-gen-req-resp-structure.html
 */
export const titanImage: ImageFamily = {
  maxImages: 5,
  request(request) {
    const { prompt, negativePrompt, seed, count } = request;
    return {
      taskType: 'TEXT_IMAGE',
      textToImageParams: { text: prompt, ...(negativePrompt && { negativeText: negativePrompt }) },
      imageGenerationConfig: { numberOfImages: count, ...sizeOf(request), ...(seed !== undefined && { seed }) },
    };
  },
  read(body) {
    const { images, error } = Object(body) as { images?: unknown; error?: unknown };
    // Of several pictures some may be withheld: then the others come, and an error with them.
    if (typeof error === 'string' && error !== '') {
      return [{ withheld: error, isFiltered: /content (?:filter|polic)|blocked|responsible ai/i.test(error) }];
    }
    return listOf(images, 'images').map((image) => ({ base64: textOf(image, 'images') }));
  },
};
