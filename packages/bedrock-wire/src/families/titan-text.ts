import { answerText, conversationOfText, type TextStop } from '../conversation.js';
import { schemaWords } from '../field-words.js';
import { readFields } from '../request-fields.js';
import type { TextFamily } from './family.js';

const mostTokens = [
  ['titan-text-premier', 3_072],
  ['titan-text-lite', 4_096],
] as const;
const mostTokensOfOthers = 8_192;

/** Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html */
export const titanText: TextFamily = {
  kind: 'text',
  parse(body, baseId) {
    const fields = readFields(body, schemaWords);
    const text = fields.requiredText('inputText', { min: 1 });
    const settings = fields.object('textGenerationConfig');
    const max = mostTokens.find(([name]) => baseId.includes(name))?.[1] ?? mostTokensOfOthers;
    const maxTokens = settings?.integer('maxTokenCount', { min: 0, max }) ?? 512;
    const temperature = settings?.number('temperature', { min: 0, max: 1 });
    const topP = settings?.number('topP', { min: 0, max: 1 });
    const stopSequences = settings?.texts('stopSequences') ?? [];
    settings?.refuseOthers();
    fields.refuseOthers();
    const conversation = conversationOfText(text, /User:/, /Bot:/);
    return { conversation, maxTokens: Math.max(1, maxTokens), temperature, topP, stopSequences };
  },
  answer: (answer) => ({
    inputTextTokenCount: answer.inputTokens,
    results: [
      {
        tokenCount: answer.outputTokens,
        outputText: answerText(answer),
        completionReason: completionReasons[answer.reason],
      },
    ],
  }),
  chunks() {
    let inputTextTokenCount: number | null = null;
    return {
      start(inputTokens) {
        inputTextTokenCount = inputTokens;
        return [];
      },
      piece: ({ text: outputText }) => [
        {
          outputText,
          index: 0,
          totalOutputTextTokenCount: null,
          completionReason: null,
          inputTextTokenCount,
        },
      ],
      end: ({ reason, inputTokens, outputTokens }) => [
        {
          outputText: '',
          index: 0,
          totalOutputTextTokenCount: outputTokens,
          completionReason: completionReasons[reason],
          inputTextTokenCount: inputTokens,
        },
      ],
    };
  },
};

/** The documentation says FINISHED, the service FINISH. */
const completionReasons: Record<TextStop, string> = {
  end: 'FINISH',
  'max-tokens': 'LENGTH',
  'stop-sequence': 'STOP_CRITERIA_MET',
  filtered: 'CONTENT_FILTERED',
};
