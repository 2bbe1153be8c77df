import {
  type ConversationMessage,
  type ConversationSource,
  citedBlocks,
  type TextPiece,
  type TextRequest,
} from '../conversation.js';
import { frameworkWords, schemaWords } from '../field-words.js';
import { base64Bytes, type Fields, readFields } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import type { ChunkWriter, TextFamily } from './family.js';

/**
 * The format of Converse, which Nova's own bodies (`messages-v1`) have too, with less in it.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export function readConverse(body: unknown): TextRequest {
  const fields = readFields(body, frameworkWords);
  const settings = fields.object('inferenceConfig');
  const request = readConversation(fields);
  return {
    ...request,
    maxTokens: settings?.integer('maxTokens', { min: 1 }),
    temperature: settings?.number('temperature', { min: 0, max: 1 }),
    topP: settings?.number('topP', { min: 0, max: 1 }),
    stopSequences: settings?.texts('stopSequences', { max: 2_500 }) ?? [],
  };
}

function readConversation(fields: Fields): Pick<TextRequest, 'conversation'> {
  const sources: ConversationSource[] = [];
  const system = (fields.objects('system') ?? []).map((block) => block.text('text') ?? '').filter(Boolean);
  const messages = (fields.objects('messages') ?? fields.missing('messages')).map((message) => {
    const role = message.choice('role', ['user', 'assistant', 'system']) ?? message.missing('role');
    const blocks = message.objects('content') ?? message.missing('content');
    const text = blocks
      .map((block) => blockText(block, sources))
      .filter(Boolean)
      .join('\n');
    return { role, text };
  });
  for (const { role, text } of messages) if (role === 'system') system.push(text);
  const turns = messages.filter((each): each is ConversationMessage => each.role !== 'system');
  if (turns.length === 0) {
    throw invalidRequest(
      'A conversation must start with a user message. Try again with a conversation that starts with a user message.',
    );
  }
  if (turns[0]!.role !== 'user') {
    throw invalidRequest(
      'A conversation must start with a user message. Try again with a conversation that starts with a user message.',
    );
  }
  return { conversation: { system: system.join('\n'), messages: turns, sources } };
}

function blockText(block: Fields, sources: ConversationSource[]): string {
  const text = block.text('text');
  if (text !== undefined) {
    if (text.trim() === '') {
      throw invalidRequest(
        'The text field in the ContentBlock object is blank. Add text to the text field, and try again.',
      );
    }
    return text;
  }
  const result = block.object('searchResult');
  if (result) {
    const contents = result.objects('content') ?? result.missing('content');
    sources.push({
      kind: 'search-result',
      source: result.requiredText('source'),
      title: result.requiredText('title'),
      blocks: contents.map((each) => each.requiredText('text')),
      isCited: result.object('citations')?.flag('enabled') ?? false,
    });
    return '';
  }
  const document = block.object('document');
  if (document) {
    const name = document.requiredText('name', { min: 1, max: 200 });
    sources.push({
      kind: 'document',
      source: name,
      title: name,
      blocks: documentBlocks(document),
      isCited: document.object('citations')?.flag('enabled') ?? false,
    });
    return '';
  }
  const toolResult = block.object('toolResult');
  if (toolResult) {
    const contents = toolResult.objects('content') ?? toolResult.missing('content');
    return contents
      .map((each) => (each.has('json') ? JSON.stringify(each.raw('json')) : blockText(each, sources)))
      .filter(Boolean)
      .join('\n');
  }
  return (
    (block.object('guardContent')?.object('text') ?? block.object('citationsContent')?.objects('content')?.[0])?.text(
      'text',
    ) ?? ''
  );
}

/** The text of a document that is text: of the formats with a layout of their own, nothing is read. */
function documentBlocks(document: Fields): readonly string[] {
  const source = document.object('source') ?? document.missing('source');
  const text = source.text('text');
  if (text !== undefined) return [text];
  const content = source.objects('content');
  if (content) return content.map((each) => each.requiredText('text'));
  const bytes = source.text('bytes');
  if (bytes === undefined) return [];
  const decoded = base64Bytes(bytes);
  if (decoded === undefined) throw invalidRequest(`The document ${document.text('name')} is not valid base64.`);
  const format = document.text('format');
  return ['txt', 'md', 'csv', 'html'].includes(format ?? 'txt') ? [new TextDecoder().decode(decoded)] : [];
}

export const converseStopReasons = {
  end: 'end_turn',
  'max-tokens': 'max_tokens',
  'stop-sequence': 'stop_sequence',
  filtered: 'content_filtered',
} as const;

export function converseUsage({ inputTokens, outputTokens }: { inputTokens: number; outputTokens: number }) {
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}

/** The content of an answer. A cited piece is a block of its own. */
export function converseContent(pieces: readonly TextPiece[], sources: readonly ConversationSource[]): object[] {
  const blocks: ({ text: string } | { citationsContent: object })[] = [];
  for (const piece of pieces) {
    const citations = citationsOf(piece, sources);
    const last = blocks.at(-1);
    if (citations.length > 0) blocks.push({ citationsContent: { content: [{ text: piece.text }], citations } });
    else if (last && 'text' in last) last.text += piece.text;
    else blocks.push({ text: piece.text });
  }
  return blocks.length > 0 ? blocks : [{ text: '' }];
}

function citationsOf(piece: TextPiece, sources: readonly ConversationSource[]): object[] {
  return (piece.sources ?? []).map((index) => {
    const source = sources[index]!;
    const { start, end, text } = citedBlocks(source, piece);
    const among = sources.slice(0, index).filter(({ kind }) => kind === source.kind).length;
    return {
      title: source.title,
      source: source.source,
      sourceContent: [{ text }],
      location:
        source.kind === 'search-result'
          ? { searchResultLocation: { searchResultIndex: among, start, end } }
          : { documentChunk: { documentIndex: among, start, end } },
    };
  });
}

/** The events of ConverseStream, each an object with one key: the event's name. `metadata` is left to whoever knows the times. */
export function createConverseWriter(sources: readonly ConversationSource[]): ChunkWriter {
  let contentBlockIndex = -1;
  let open: 'plain' | 'cited' | undefined;
  const close = () => (open === undefined ? [] : [{ contentBlockStop: { contentBlockIndex } }]);

  return {
    start: () => [{ messageStart: { role: 'assistant' } }],
    piece(piece) {
      const citations = citationsOf(piece, sources);
      const kind = citations.length > 0 ? 'cited' : 'plain';
      const events: object[] = [];
      if (open !== 'plain' || kind !== 'plain') {
        events.push(...close());
        contentBlockIndex += 1;
        open = kind;
      }
      events.push({ contentBlockDelta: { delta: { text: piece.text }, contentBlockIndex } });
      for (const citation of citations) events.push({ contentBlockDelta: { delta: { citation }, contentBlockIndex } });
      return events;
    },
    end: ({ reason }) => [...close(), { messageStop: { stopReason: converseStopReasons[reason] } }],
  };
}

/** Source: https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html */
export const nova: TextFamily = {
  kind: 'text',
  parse(body) {
    const fields = readFields(body, schemaWords);
    fields.choice('schemaVersion', ['messages-v1']);
    const settings = fields.object('inferenceConfig');
    const request = readConversation(fields);
    const maxTokens = settings?.integer('maxTokens', { min: 1 }) ?? settings?.integer('max_new_tokens', { min: 1 });
    const temperature = settings?.number('temperature', { min: 0, max: 1 });
    const topP = settings?.number('topP', { min: 0, max: 1 }) ?? settings?.number('top_p', { min: 0, max: 1 });
    settings?.integer('topK', { min: 0, max: 128 });
    const stopSequences = settings?.texts('stopSequences', { max: 4 }) ?? [];
    settings?.refuseOthers(['top_k', 'reasoningConfig']);
    fields.refuseOthers(['toolConfig', 'additionalModelRequestFields', 'reasoningConfig']);
    return { ...request, maxTokens, temperature, topP, stopSequences };
  },
  answer: (answer, { request }) => ({
    output: {
      message: { content: converseContent(answer.pieces, request.conversation.sources), role: 'assistant' },
    },
    stopReason: converseStopReasons[answer.reason],
    usage: { ...converseUsage(answer), cacheReadInputTokenCount: 0, cacheWriteInputTokenCount: 0 },
  }),
  chunks({ request }) {
    const writer = createConverseWriter(request.conversation.sources);
    return {
      ...writer,
      end: (end) => [
        ...writer.end(end),
        {
          metadata: {
            usage: { ...converseUsage(end), cacheReadInputTokenCount: 0, cacheWriteInputTokenCount: 0 },
            metrics: {},
            trace: {},
          },
        },
      ],
    };
  },
};
