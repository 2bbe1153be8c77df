import type { BedrockFamily } from '@aquifer/contracts';
import { claudeMessages } from './claude-messages.js';
import { nova } from './converse.js';
import type { WireFamily } from './family.js';
import { rerank } from './rerank.js';
import { titanEmbeddingsV1, titanEmbeddingsV2 } from './titan-embeddings.js';

const families: Partial<Record<BedrockFamily, WireFamily>> = {
  'titan-embed-text-v1': titanEmbeddingsV1,
  'titan-embed-text-v2': titanEmbeddingsV2,
  'claude-messages': claudeMessages,
  nova,
  rerank,
};

/** The body format of a family at InvokeModel; undefined where it is spoken with through Converse only. */
export function familyNamed(name: BedrockFamily): WireFamily | undefined {
  return families[name];
}
