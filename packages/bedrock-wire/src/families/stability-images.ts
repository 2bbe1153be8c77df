import { schemaWords } from '../field-words.js';
import { base64Bytes, type Fields, readFields } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import type { WholeFamily } from './family.js';

/** The sizes of SDXL 1.0, in pixels. */
const sizes = [
  '1024x1024',
  '1152x896',
  '1216x832',
  '1344x768',
  '1536x640',
  '640x1536',
  '768x1344',
  '832x1216',
  '896x1152',
];
const largestSeed = 4_294_967_295;

/** Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-1-0-text-image.html */
export const stableDiffusion: WholeFamily = {
  kind: 'whole',
  async invoke({ body, modelId, backend, signal }) {
    const fields = readFields(body, schemaWords);
    const prompts = (fields.objects('text_prompts', { min: 1 }) ?? fields.missing('text_prompts')).map((prompt) => ({
      text: prompt.requiredText('text', { max: 2_000 }),
      weight: prompt.number('weight') ?? 1,
    }));
    const width = fields.integer('width') ?? 1024;
    const height = fields.integer('height') ?? 1024;
    if (!sizes.includes(`${width}x${height}`)) {
      throw invalidRequest(
        `for stable-diffusion-xl-1024-v0-9 and stable-diffusion-xl-1024-v1-0 the allowed dimensions are ${sizes.join(', ')}, but we received ${width}x${height}`,
      );
    }
    fields.number('cfg_scale', { min: 0, max: 35 });
    fields.integer('steps', { min: 10, max: 150 });
    const seed = fields.integer('seed', { min: 0, max: largestSeed }) ?? 0;
    fields.choice('samples', [1]);
    checkImage(fields, 'init_image');
    checkImage(fields, 'mask_image');
    fields.number('image_strength', { min: 0, max: 1 });
    fields.refuseOthers(diffusionSettings);
    const words = (isWanted: boolean) =>
      prompts
        .filter(({ weight }) => weight >= 0 === isWanted)
        .map(({ text }) => text)
        .join(', ');
    const images = await backend.image({
      modelId,
      prompt: words(true),
      negativePrompt: words(false),
      width,
      height,
      count: 1,
      seed,
      signal,
    });
    return {
      body: JSON.stringify({
        result: 'success',
        artifacts: images.map((image) => ({ seed, base64: base64(image), finishReason: 'SUCCESS' })),
      }),
    };
  },
};

const diffusionSettings = [
  'clip_guidance_preset',
  'extras',
  'init_image_mode',
  'mask_source',
  'sampler',
  'start_schedule',
  'step_schedule_end',
  'step_schedule_start',
  'style_preset',
];

/** Width and height of about a million pixels, in steps of 64, for each shape. */
const shapes: Readonly<Record<string, readonly [width: number, height: number]>> = {
  '1:1': [1024, 1024],
  '16:9': [1344, 768],
  '9:16': [768, 1344],
  '21:9': [1536, 640],
  '9:21': [640, 1536],
  '3:2': [1216, 832],
  '2:3': [832, 1216],
  '5:4': [1088, 896],
  '4:5': [896, 1088],
};

/** Stable Image Core and Ultra, SD3, and the editing services, which have a prompt too. Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-stable-image-ultra-text-image-request-response.html */
export const stabilityImage: WholeFamily = {
  kind: 'whole',
  async invoke({ body, modelId, baseId, backend, signal }) {
    const fields = readFields(body, schemaWords);
    const isEdit = fields.has('image') && fields.raw('mode') !== 'image-to-image';
    const prompt =
      fields.text('prompt', { min: isEdit ? 0 : 1, max: 10_000 }) ??
      (isEdit ? baseId.replace(/^stability\./, '') : fields.missing('prompt'));
    const negativePrompt = fields.text('negative_prompt', { max: 10_000 });
    fields.choice('mode', ['text-to-image', 'image-to-image']);
    const [width, height] = shapes[fields.choice('aspect_ratio', Object.keys(shapes)) ?? '1:1']!;
    const seed = fields.integer('seed', { min: 0, max: largestSeed }) ?? 0;
    if ((fields.choice('output_format', ['png', 'jpeg', 'webp']) ?? 'png') !== 'png') {
      throw invalidRequest('This server makes png files only: leave output_format out, or set it to png.');
    }
    fields.number('strength', { min: 0, max: 1 });
    checkImage(fields, 'image');
    checkImage(fields, 'mask');
    // Each editing service has settings of its own.
    if (!isEdit) fields.refuseOthers(['style_preset', 'cfg_scale']);
    const images = await backend.image({ modelId, prompt, negativePrompt, width, height, count: 1, seed, signal });
    return { body: JSON.stringify({ seeds: [seed], finish_reasons: [null], images: images.map(base64) }) };
  },
};

function checkImage(fields: Fields, name: string): void {
  const image = fields.text(name);
  if (image !== undefined && base64Bytes(image) === undefined)
    throw invalidRequest(`${name}: the image must be base64.`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
