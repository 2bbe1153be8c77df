import { schemaWords } from '../field-words.js';
import { type Fields, readFields } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import type { WholeFamily } from './family.js';

/** Each task and where its parameters are. */
const tasks = {
  TEXT_IMAGE: 'textToImageParams',
  INPAINTING: 'inPaintingParams',
  OUTPAINTING: 'outPaintingParams',
  IMAGE_VARIATION: 'imageVariationParams',
  COLOR_GUIDED_GENERATION: 'colorGuidedGenerationParams',
  BACKGROUND_REMOVAL: 'backgroundRemovalParams',
  VIRTUAL_TRY_ON: 'virtualTryOnParams',
} as const;
type Task = keyof typeof tasks;
const withoutPrompt: readonly Task[] = ['IMAGE_VARIATION', 'BACKGROUND_REMOVAL', 'VIRTUAL_TRY_ON'];

/**
 * Titan Image Generator and Nova Canvas.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-image.html
 */
export const titanImage: WholeFamily = {
  kind: 'whole',
  async invoke({ body, modelId, baseId, backend, signal }) {
    const isCanvas = baseId.startsWith('amazon.nova-canvas');
    const fields = readFields(body, schemaWords);
    const task = fields.choice('taskType', Object.keys(tasks) as Task[]) ?? fields.missing('taskType');
    const parameters = fields.object(tasks[task]) ?? fields.missing(tasks[task]);
    const maxCharacters = isCanvas ? 1_024 : 512;
    const text = parameters.text('text', { min: 1, max: maxCharacters });
    const prompt =
      text ?? (withoutPrompt.includes(task) ? task.toLowerCase().replaceAll('_', ' ') : parameters.missing('text'));
    const negativePrompt = parameters.text('negativeText', { min: 1, max: maxCharacters });
    const settings = fields.object('imageGenerationConfig');
    const count = settings?.integer('numberOfImages', { min: 1, max: 5 }) ?? 1;
    const width = side(settings, 'width', isCanvas);
    const height = side(settings, 'height', isCanvas);
    settings?.number('cfgScale', { min: 1.1, max: 10 });
    settings?.choice('quality', ['standard', 'premium']);
    const seed =
      settings?.integer('seed', { min: 0, max: isCanvas ? 858_993_459 : 2_147_483_646 }) ?? (isCanvas ? 12 : 42);
    settings?.refuseOthers();
    fields.refuseOthers();
    const images = await backend.image({ modelId, prompt, negativePrompt, width, height, count, seed, signal });
    return {
      body: JSON.stringify({ images: images.map((image) => Buffer.from(image).toString('base64')), error: null }),
    };
  },
};

function side(settings: Fields | undefined, name: string, isCanvas: boolean): number {
  const step = isCanvas ? 16 : 64;
  const pixels = settings?.integer(name, isCanvas ? { min: 320, max: 4_096 } : { min: 256, max: 1_408 }) ?? 1_024;
  if (pixels % step !== 0) {
    throw invalidRequest(
      `Malformed input request: #/imageGenerationConfig/${name}: ${pixels} is not a multiple of ${step}, please reformat your input and try again.`,
    );
  }
  return pixels;
}
