import { type ImageFamily, listOf, sizeOf, textOf } from './image-family.js';

interface Artifact {
  readonly seed?: number;
  readonly base64?: unknown;
  readonly finishReason?: string;
}

/** SDXL 1.0. Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-1-0-text-image.html */
export const stableDiffusion: ImageFamily = {
  maxImages: 1,
  request(request) {
    const { prompt, negativePrompt, seed } = request;
    return {
      text_prompts: [
        { text: prompt, weight: 1 },
        // A negative weight is how this family says what not to show.
        ...(negativePrompt ? [{ text: negativePrompt, weight: -1 }] : []),
      ],
      ...sizeOf(request),
      ...(seed !== undefined && { seed }),
    };
  },
  read(body) {
    const { artifacts } = Object(body) as { artifacts?: unknown };
    return listOf(artifacts, 'artifacts').map((artifact) => {
      const { seed, base64, finishReason } = Object(artifact) as Artifact;
      // A filtered picture is there, and blurred.
      if (finishReason !== undefined && finishReason !== 'SUCCESS') {
        return { withheld: finishReason, isFiltered: finishReason === 'CONTENT_FILTERED' };
      }
      return { base64: textOf(base64, 'base64'), ...(typeof seed === 'number' && { seed }) };
    });
  },
};
