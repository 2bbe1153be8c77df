import type { GenerateCall, GenerateEvent } from '@aquifer/bedrock-wire';
import type { Generator, Prompt, StopReason } from '@aquifer/contracts';
import { estimateTokens } from '@aquifer/text-analysis';
import { type Asked, readAsked } from './prompt-passages.js';

/** What a model writes where the passages have no answer, when its instructions say so: what Aquifer's prompts ask for. */
const abstentionMarker = '[none]';
const kana = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;

/** The answer of a generator to a conversation, with its citation markers made into citations where the request's sources are to be cited. */
export async function* answerLocally(generator: Generator, call: GenerateCall): AsyncIterable<GenerateEvent> {
  const asked = readAsked(call.conversation);
  const isBuiltin = generator.id === 'builtin';
  if (isBuiltin && asked.passages.length === 0) {
    yield* sayWhatThisIs(call, asked);
    return;
  }
  const cites = asked.areSources && call.conversation.sources.some(({ isCited }) => isCited);
  const { maxTokens, temperature, stopSequences, signal } = call;
  const events = generator.generate(promptOf(call, asked, cites), { maxTokens, temperature, stopSequences, signal });
  const abstains = `${call.conversation.system}${call.conversation.messages.map(({ text }) => text).join('')}`.includes(
    abstentionMarker,
  );
  let held = '';
  for await (const event of events) {
    if (event.type === 'stop') {
      if (event.reason === 'abstained' && abstains) held = `${abstentionMarker} ${held}`;
      if (held !== '') yield { type: 'text', text: held };
      yield {
        type: 'stop',
        reason: stopOf(event.reason),
        ...(event.reason === 'stop-sequence' && stopSequences.length === 1 && { stopSequence: stopSequences[0]! }),
        // The answerer counts question and passages only; what a request took is all of it.
        ...(!isBuiltin && { inputTokens: event.usage.inputTokens }),
        outputTokens: event.usage.outputTokens,
      };
      return;
    }
    held += event.text;
    if (cites) {
      const read = splitAtMarkers(held, call);
      yield* read.pieces;
      held = read.rest;
    } else if (!isBuiltin) {
      yield { type: 'text', text: held };
      held = '';
    } else {
      // The last piece waits: only the stop says whether it is an abstention.
      const pending = event.text;
      if (held.length > pending.length) yield { type: 'text', text: held.slice(0, -pending.length) };
      held = pending;
    }
  }
}

function stopOf(reason: StopReason) {
  return reason === 'abstained' ? 'end' : reason;
}

function promptOf({ conversation }: GenerateCall, { question, passages }: Asked, cites: boolean): Prompt {
  const { system, messages } = conversation;
  const turns =
    messages.length === 1
      ? messages[0]!.text
      : messages.map(({ role, text }) => `${role === 'user' ? 'User' : 'Assistant'}: ${text}`).join('\n\n');
  const sources = conversation.sources.map(
    ({ title, blocks }, index) => `[${index + 1}] ${title}\n${blocks.join('\n')}`,
  );
  const rule = cites ? ['End every sentence with the number of the source it rests on, in square brackets: [1].'] : [];
  return {
    system: [system, ...rule].filter(Boolean).join('\n\n'),
    systemWithoutMarkers: system,
    user: [...sources, turns].join('\n\n'),
    question,
    passages,
  };
}

/** Cuts `Words of a sentence. [2] More` into a piece that rests on source 2 and the rest. */
function splitAtMarkers(text: string, { conversation: { sources } }: GenerateCall) {
  const pieces: GenerateEvent[] = [];
  let end = 0;
  for (const match of text.matchAll(/ ?((?:\[\d+\])+)/g)) {
    const numbers = [...match[1]!.matchAll(/\d+/g)].map(([digits]) => Number(digits) - 1);
    const cited = numbers.filter((index) => sources[index]?.isCited);
    pieces.push({ type: 'text', text: text.slice(end, match.index), ...(cited.length > 0 && { sources: cited }) });
    end = match.index + match[0].length;
  }
  return { pieces, rest: text.slice(end) };
}

/** Without passages there is nothing to quote. Word by word, so that streams are streams. */
function* sayWhatThisIs(call: GenerateCall, { question }: Asked): Iterable<GenerateEvent> {
  const text = kana.test(question)
    ? `これは Amazon Bedrock のローカルエミュレーターで、言語モデルではありません。文書の一節を引用して答えますが、${call.modelId} への この要求には一節がありません。`
    : `This is a local emulator of Amazon Bedrock, not a language model. It answers by quoting passages, and this request to ${call.modelId} holds none.`;
  const stops = call.stopSequences.filter((each) => each !== '' && text.includes(each));
  const stop = stops.sort((a, b) => text.indexOf(a) - text.indexOf(b))[0];
  const allowed = stop === undefined ? text : text.slice(0, text.indexOf(stop));
  let said = '';
  let isCut = false;
  for (const [word] of allowed.matchAll(/\S+\s*|\s+/g)) {
    if (call.maxTokens !== undefined && estimateTokens(said + word) > call.maxTokens) {
      isCut = true;
      break;
    }
    said += word;
    yield { type: 'text', text: word };
  }
  yield {
    type: 'stop',
    reason: isCut ? 'max-tokens' : stop === undefined ? 'end' : 'stop-sequence',
    ...(!isCut && stop !== undefined && { stopSequence: stop }),
    outputTokens: estimateTokens(said),
  };
}
