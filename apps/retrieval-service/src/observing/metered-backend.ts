import { conversationTokens, type GenerateCall, type GenerateEvent, type ModelBackend } from '@aquifer/bedrock-wire';
import { estimateTokens } from '@aquifer/text-analysis';
import type { RequestObserver } from './request-observer.js';

/** Models whose work is counted: as they count it, and estimated where they do not say. */
export function meteredBackend(backend: ModelBackend, observer: Pick<RequestObserver, 'took'>): ModelBackend {
  const read = (model: string, texts: readonly string[]) => {
    const inputTokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0);
    observer.took({ model, inputTokens, outputTokens: 0 });
  };
  return {
    ...backend,
    async embed(call) {
      const vectors = await backend.embed(call);
      read(
        call.modelId,
        call.inputs.flatMap((input) => (input.type === 'text' ? [input.text] : [])),
      );
      return vectors;
    },
    generate: (call) => meteredAnswer(call, backend.generate(call), observer),
    async rerank(call) {
      const scores = await backend.rerank(call);
      read(call.modelId, [call.query, ...call.texts]);
      return scores;
    },
  };
}

async function* meteredAnswer(
  call: GenerateCall,
  events: AsyncIterable<GenerateEvent>,
  observer: Pick<RequestObserver, 'took'>,
): AsyncGenerator<GenerateEvent> {
  let said = '';
  let counted: { inputTokens?: number; outputTokens?: number } | undefined;
  try {
    for await (const event of events) {
      if (event.type === 'text') said += event.text;
      else counted = event;
      yield event;
    }
  } finally {
    // Also for who breaks off in the middle; a model that failed before its first word took nothing.
    if (counted !== undefined || said !== '') {
      observer.took({
        model: call.modelId,
        inputTokens: counted?.inputTokens ?? conversationTokens(call.conversation),
        outputTokens: counted?.outputTokens ?? estimateTokens(said),
      });
    }
  }
}
