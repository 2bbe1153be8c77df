import type { AnswerEnd, TextFamily } from './text-family.js';

const humanTurn = '\n\nHuman:';

/**
 * Claude 2 and Instant: one text of turns.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-text-completion.html
 */
export const claudeCompletions: TextFamily = {
  request({ system, user }, { maxTokens, temperature, topP, stopSequences }) {
    return {
      operation: 'InvokeModelWithResponseStream',
      body: {
        prompt: `${humanTurn} ${withoutTurns(system)}\n\n${withoutTurns(user)}\n\nAssistant:`,
        max_tokens_to_sample: maxTokens,
        stop_sequences: [humanTurn, ...stopSequences],
        ...(temperature !== undefined && { temperature }),
        ...(topP !== undefined && { top_p: topP }),
      },
    };
  },

  createReader() {
    const end: AnswerEnd = {};
    const push = ({ completion, stop_reason: reason, stop }: Completion): string => {
      if (reason === 'max_tokens') end.reason = 'max-tokens';
      else if (reason) end.reason = stop && stop !== humanTurn ? 'stop-sequence' : 'end';
      return completion ?? '';
    };
    return { push, end };
  },
};

interface Completion {
  readonly completion?: string;
  readonly stop_reason?: string | null;
  readonly stop?: string | null;
}

/** A document must not be able to begin a turn: turns begin behind an empty line. */
function withoutTurns(text: string): string {
  return text.replace(/\n\s*\n(?=\s*(?:Human|Assistant):)/g, '\n');
}
