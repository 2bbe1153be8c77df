import { type ConversationMessage, type ConversationSource, citedBlocks, type TextPiece } from '../conversation.js';
import { anthropicWords } from '../field-words.js';
import { type Fields, readFields } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import type { AnswerContext, ChunkWriter, TextFamily } from './family.js';

const knownElsewhere = [
  'anthropic_beta',
  'container',
  'context_management',
  'mcp_servers',
  'metadata',
  'output_config',
  'output_format',
  'thinking',
  'tool_choice',
  'tools',
  'top_k',
];
const blockTypes = [
  'text',
  'image',
  'document',
  'search_result',
  'tool_use',
  'tool_result',
  'thinking',
  'redacted_thinking',
] as const;

/** Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html */
export const claudeMessages: TextFamily = {
  kind: 'text',
  parse(body) {
    const fields = readFields(body, anthropicWords);
    fields.requiredText('anthropic_version');
    if (fields.raw('anthropic_version') !== 'bedrock-2023-05-31') {
      throw invalidRequest("anthropic_version: Input should be 'bedrock-2023-05-31'");
    }
    const maxTokens = fields.integer('max_tokens', { min: 1 }) ?? fields.missing('max_tokens');
    const temperature = unitInterval(fields, 'temperature');
    const topP = unitInterval(fields, 'top_p');
    const stopSequences = fields.texts('stop_sequences') ?? [];
    if (stopSequences.some((each) => each.trim() === '')) {
      throw invalidRequest('stop_sequences: each stop sequence must contain non-whitespace');
    }
    const sources: ConversationSource[] = [];
    const system = systemText(fields);
    const messages = (fields.objects('messages') ?? fields.missing('messages')).map((message) =>
      readMessage(message, sources),
    );
    if (messages.length === 0) throw invalidRequest('messages: at least one message is required');
    if (messages[0]?.role !== 'user') throw invalidRequest('messages: first message must use the "user" role');
    if (messages.at(-1)?.role === 'assistant' && /\s$/.test(messages.at(-1)!.text)) {
      throw invalidRequest('messages: final assistant content cannot end with trailing whitespace');
    }
    fields.refuseOthers(knownElsewhere);
    return { conversation: { system, messages, sources }, maxTokens, temperature, topP, stopSequences };
  },

  answer(answer, { baseId, requestId, request }) {
    return {
      ...messageShell(baseId, requestId),
      content: contentBlocks(answer.pieces, request.conversation.sources),
      stop_reason: stopReasons[answer.reason],
      stop_sequence: answer.stopSequence ?? null,
      usage: { input_tokens: answer.inputTokens, output_tokens: answer.outputTokens },
    };
  },

  chunks: createChunkWriter,
};

const stopReasons = {
  end: 'end_turn',
  'max-tokens': 'max_tokens',
  'stop-sequence': 'stop_sequence',
  filtered: 'refusal',
} as const;

function messageShell(baseId: string, requestId: string) {
  return {
    id: `msg_bdrk_${requestId.replaceAll('-', '').slice(0, 24)}`,
    type: 'message',
    role: 'assistant',
    model: baseId.replace(/^anthropic\./, '').replace(/-v\d+(:\d+)?$/, ''),
  };
}

function unitInterval(fields: Fields, name: string): number | undefined {
  const value = fields.number(name);
  if (value !== undefined && (value < 0 || value > 1)) throw invalidRequest(`${name}: range: 0..1`);
  return value;
}

function systemText(fields: Fields): string {
  if (!Array.isArray(fields.raw('system'))) return fields.text('system') ?? '';
  return fields
    .objects('system')!
    .map((block) => block.requiredText('text'))
    .join('\n');
}

function readMessage(message: Fields, sources: ConversationSource[]): ConversationMessage {
  const role = message.choice('role', ['user', 'assistant']) ?? message.missing('role');
  const content = message.raw('content');
  message.refuseOthers();
  if (content === undefined) return message.missing('content');
  if (typeof content === 'string') return { role, text: content };
  const blocks = message.objects('content')!;
  return {
    role,
    text: blocks
      .map((block) => blockText(block, sources))
      .filter(Boolean)
      .join('\n'),
  };
}

/** The words of a block; search results and documents are put with the sources. */
function blockText(block: Fields, sources: ConversationSource[]): string {
  const type = block.raw('type');
  if (type === undefined) block.missing('type');
  switch (blockTypes.find((each) => each === type)) {
    case 'text': {
      const text = block.requiredText('text');
      if (text === '') throw invalidRequest('messages: text content blocks must be non-empty');
      return text;
    }
    case 'search_result': {
      const texts = (block.objects('content') ?? block.missing('content')).map((each) => each.requiredText('text'));
      sources.push({
        kind: 'search-result',
        source: block.requiredText('source'),
        title: block.requiredText('title'),
        blocks: texts,
        isCited: block.object('citations')?.flag('enabled') ?? false,
      });
      return '';
    }
    case 'document':
      sources.push(readDocument(block));
      return '';
    case 'tool_result': {
      const content = block.raw('content');
      if (content === undefined || typeof content === 'string') return content ?? '';
      return block
        .objects('content')!
        .map((each) => blockText(each, sources))
        .filter(Boolean)
        .join('\n');
    }
    case 'image': {
      const source = block.object('source') ?? block.missing('source');
      if (source.requiredText('type') === 'base64') source.requiredText('data');
      return '';
    }
    case 'tool_use':
    case 'thinking':
    case 'redacted_thinking':
      return '';
    default:
      throw invalidRequest(
        `${block.path.join('.')}: Input tag '${type}' found using 'type' does not match any of the expected tags: ${blockTypes
          .map((each) => `'${each}'`)
          .join(', ')}`,
      );
  }
}

function readDocument(block: Fields): ConversationSource {
  const source = block.object('source') ?? block.missing('source');
  const type = source.requiredText('type');
  const title = block.text('title') ?? '';
  const content = source.raw('content');
  return {
    kind: 'document',
    source: title,
    title,
    blocks:
      type === 'text'
        ? [source.requiredText('data')]
        : type === 'content' && typeof content === 'string'
          ? [content]
          : type === 'content'
            ? (source.objects('content') ?? []).map((each) => each.text('text') ?? '')
            : [],
    isCited: block.object('citations')?.flag('enabled') ?? false,
  };
}

/** A cited piece is a block of its own, as Claude writes them; what is cited to nothing is joined. */
function contentBlocks(pieces: readonly TextPiece[], sources: readonly ConversationSource[]): object[] {
  const blocks: { type: 'text'; text: string; citations?: object[] }[] = [];
  for (const piece of pieces) {
    const citations = citationsOf(piece, sources);
    const last = blocks.at(-1);
    if (citations.length > 0) blocks.push({ type: 'text', text: piece.text, citations });
    else if (last && last.citations === undefined) last.text += piece.text;
    else blocks.push({ type: 'text', text: piece.text });
  }
  return blocks;
}

function citationsOf(piece: TextPiece, sources: readonly ConversationSource[]): object[] {
  return (piece.sources ?? []).map((index) => citationOf(index, piece, sources));
}

/** Source: https://docs.claude.com/en/docs/build-with-claude/search-results; the end of a range of blocks is exclusive. */
function citationOf(index: number, piece: TextPiece, sources: readonly ConversationSource[]): object {
  const source = sources[index]!;
  const { start, end, text } = citedBlocks(source, piece);
  const among = sources.slice(0, index).filter(({ kind }) => kind === source.kind).length;
  const range = { cited_text: text, start_block_index: start, end_block_index: end };
  return source.kind === 'search-result'
    ? {
        type: 'search_result_location',
        source: source.source,
        title: source.title,
        search_result_index: among,
        ...range,
      }
    : { type: 'content_block_location', document_index: among, document_title: source.title || null, ...range };
}

function createChunkWriter({ baseId, requestId, request }: AnswerContext): ChunkWriter {
  const { sources } = request.conversation;
  let index = -1;
  let open: 'plain' | 'cited' | undefined;

  function* openBlock(kind: 'plain' | 'cited'): Iterable<object> {
    if (open === 'plain' && kind === 'plain') return;
    yield* closeBlock();
    index += 1;
    open = kind;
    const content_block = { type: 'text', text: '', ...(kind === 'cited' && { citations: [] }) };
    yield { type: 'content_block_start', index, content_block };
  }
  function* closeBlock(): Iterable<object> {
    if (open !== undefined) yield { type: 'content_block_stop', index };
    open = undefined;
  }

  return {
    start(inputTokens) {
      const usage = { input_tokens: inputTokens, output_tokens: 1 };
      const message = {
        ...messageShell(baseId, requestId),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage,
      };
      return [{ type: 'message_start', message }];
    },
    piece(piece) {
      const citations = citationsOf(piece, sources);
      return [
        ...openBlock(citations.length > 0 ? 'cited' : 'plain'),
        ...citations.map((citation) => ({
          type: 'content_block_delta',
          index,
          delta: { type: 'citations_delta', citation },
        })),
        { type: 'content_block_delta', index, delta: { type: 'text_delta', text: piece.text } },
      ];
    },
    end({ reason, stopSequence = null, outputTokens }) {
      return [
        ...closeBlock(),
        {
          type: 'message_delta',
          delta: { stop_reason: stopReasons[reason], stop_sequence: stopSequence },
          usage: { output_tokens: outputTokens },
        },
        { type: 'message_stop' },
      ];
    },
  };
}
