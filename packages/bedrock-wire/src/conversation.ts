import { estimateTokens } from '@aquifer/text-analysis';

/** A text that the request brought for the answer to rest on: a search result, or a document. */
export interface ConversationSource {
  readonly kind: 'search-result' | 'document';
  /** As the request names it: an address, or the document's name. */
  readonly source: string;
  readonly title: string;
  readonly blocks: readonly string[];
  /** Whether the answer must say what rests on it in the format's own citations. */
  readonly isCited: boolean;
}

export interface ConversationMessage {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

/** What is asked, whatever the format it was asked in. */
export interface Conversation {
  readonly system: string;
  readonly messages: readonly ConversationMessage[];
  /** In the order of the request. */
  readonly sources: readonly ConversationSource[];
}

/** A conversation with the settings of its answer. */
export interface TextRequest {
  readonly conversation: Conversation;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly stopSequences: readonly string[];
}

/** A piece of an answer as it comes. */
export interface TextPiece {
  readonly text: string;
  /** Indices in `conversation.sources` that these words rest on. Only of sources that are to be cited. */
  readonly sources?: readonly number[];
}

export type TextStop = 'end' | 'max-tokens' | 'stop-sequence' | 'filtered';

export interface TextEnd {
  readonly reason: TextStop;
  /** Which of the stop sequences it was. */
  readonly stopSequence?: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** A whole answer. */
export interface TextAnswer extends TextEnd {
  readonly pieces: readonly TextPiece[];
}

export function answerText({ pieces }: TextAnswer): string {
  return pieces.map(({ text }) => text).join('');
}

/** Tokens of all that the request holds. */
export function conversationTokens({ system, messages, sources }: Conversation): number {
  let tokens = estimateTokens(system);
  for (const { text } of messages) tokens += estimateTokens(text) + 3;
  for (const { source, title, blocks } of sources) {
    tokens += estimateTokens(source) + estimateTokens(title);
    for (const block of blocks) tokens += estimateTokens(block);
  }
  return tokens;
}

/** What a citation of `piece` names in source `index`: the blocks that hold its words, or all where no single one does. */
export function citedBlocks(
  { blocks }: ConversationSource,
  piece: TextPiece,
): { readonly start: number; readonly end: number; readonly text: string } {
  const words = withoutSpace(piece.text);
  const found = words === '' ? -1 : blocks.findIndex((block) => withoutSpace(block).includes(words));
  const [start, end] = found < 0 ? [0, blocks.length] : [found, found + 1];
  return { start, end, text: blocks.slice(start, end).join('') };
}

function withoutSpace(text: string): string {
  return text.replace(/\s+/g, '');
}

/**
 * Messages of a text that has its roles in it, such as `Human: …` and `Assistant: …` on lines of their own. Text without roles is one
 * message of the user; what stands before the first role is the system text.
 */
export function conversationOfText(text: string, user: RegExp, assistant: RegExp): Conversation {
  const marks = new RegExp(`(?:^|\\n)[ \\t]*(?:(${user.source})|(${assistant.source}))[ \\t]*`, 'g');
  const messages: { role: 'user' | 'assistant'; text: string }[] = [];
  let system = '';
  let end = 0;
  let role: 'user' | 'assistant' | undefined;
  const close = (until: number) => {
    const content = text.slice(end, until).trim();
    if (role === undefined) system = content;
    else if (content !== '') messages.push({ role, text: content });
  };
  for (const match of text.matchAll(marks)) {
    close(match.index);
    role = match[1] === undefined ? 'assistant' : 'user';
    end = match.index + match[0].length;
  }
  if (role === undefined) return { system: '', messages: [{ role: 'user', text }], sources: [] };
  close(text.length);
  return { system, messages, sources: [] };
}
