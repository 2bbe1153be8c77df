import type { StopReason } from '@aquifer/contracts';
import type { AnswerEnd, TextFamily } from './text-family.js';

/**
 * Amazon Titan Text: one text of turns.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html
 */
export const titanText: TextFamily = {
  request({ system, user }, { maxTokens, temperature, topP, stopSequences }) {
    return {
      operation: 'InvokeModelWithResponseStream',
      body: {
        inputText: `User: ${withoutTurns(`${system}\n\n${user}`)}\nBot:`,
        textGenerationConfig: {
          maxTokenCount: maxTokens,
          stopSequences: ['User:', ...stopSequences],
          ...(temperature !== undefined && { temperature }),
          ...(topP !== undefined && { topP }),
        },
      },
    };
  },

  createReader() {
    const end: AnswerEnd = {};
    const push = (chunk: TitanChunk): string => {
      end.inputTokens ??= chunk.inputTextTokenCount;
      end.outputTokens = chunk.totalOutputTextTokenCount ?? end.outputTokens;
      if (chunk.completionReason) end.reason = stopReasons[chunk.completionReason] ?? 'end';
      return chunk.outputText ?? '';
    };
    return { push, end };
  },
};

interface TitanChunk {
  readonly outputText?: string;
  readonly inputTextTokenCount?: number;
  readonly totalOutputTextTokenCount?: number | null;
  readonly completionReason?: string | null;
}

/** `FINISH` and `FINISHED` are the end. It does not say which stop sequence it met; the usual one is the next turn, which is the end too. */
const stopReasons: Readonly<Record<string, StopReason>> = {
  LENGTH: 'max-tokens',
  CONTENT_FILTERED: 'filtered',
};

/** A document must not be able to begin a turn. */
function withoutTurns(text: string): string {
  return text.replace(/^(?=(?:User|Bot):)/gm, ' ');
}
