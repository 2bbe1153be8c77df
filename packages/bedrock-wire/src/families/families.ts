import type { BedrockFamily } from '@aquifer/contracts';
import { claudeCompletions } from './claude-completions.js';
import { claudeMessages } from './claude-messages.js';
import { cohereEmbeddings } from './cohere-embeddings.js';
import { nova } from './converse.js';
import type { WireFamily } from './family.js';
import { jamba } from './jamba.js';
import { jurassic } from './jurassic.js';
import { rerank } from './rerank.js';
import { stabilityImage, stableDiffusion } from './stability-images.js';
import { titanEmbeddingsV1, titanEmbeddingsV2 } from './titan-embeddings.js';
import { titanImage } from './titan-images.js';
import { titanMultimodalEmbeddings } from './titan-multimodal-embeddings.js';
import { titanText } from './titan-text.js';

const families: Record<Exclude<BedrockFamily, 'converse'>, WireFamily> = {
  'titan-embed-text-v1': titanEmbeddingsV1,
  'titan-embed-text-v2': titanEmbeddingsV2,
  'titan-embed-image': titanMultimodalEmbeddings,
  'cohere-embed': cohereEmbeddings,
  'claude-messages': claudeMessages,
  'claude-completions': claudeCompletions,
  jurassic,
  jamba,
  'titan-text': titanText,
  nova,
  'titan-image': titanImage,
  'stable-diffusion': stableDiffusion,
  'stability-image': stabilityImage,
  rerank,
};

/** The body format of a family at InvokeModel; undefined where it is spoken with through Converse only. */
export function familyNamed(name: BedrockFamily): WireFamily | undefined {
  return name === 'converse' ? undefined : families[name];
}
