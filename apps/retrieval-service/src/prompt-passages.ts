import type { Conversation, ConversationSource } from '@aquifer/bedrock-wire';
import type { PromptPassage } from '@aquifer/contracts';

/** What a conversation asks and has to answer from. */
export interface Asked {
  readonly question: string;
  readonly passages: readonly PromptPassage[];
  /** Whether the passages are the request's search results and documents, in their order; else they are of the text of a prompt. */
  readonly areSources: boolean;
}

/**
 * The question of a conversation, and its passages: those that Aquifer's prompts hold between `<passages>` and `</passages>`, or the request's
 * own search results and documents.
 */
export function readAsked({ system, messages, sources }: Conversation): Asked {
  const last = messages.findLast(({ role }) => role === 'user')?.text ?? '';
  if (sources.length > 0) {
    return { question: questionOf(last), passages: sources.map(sourcePassage), areSources: true };
  }
  const texts = messages.map(({ text }) => text);
  // Passages that say `User:` at the beginning of a line may have been taken for turns.
  const text = [last, ...texts, system, texts.join('\n')].find(
    (each) => between(each, '<passages>', '</passages>') !== undefined,
  );
  if (text === undefined) return { question: last, passages: [], areSources: false };
  return { question: questionOf(text), passages: fencedPassages(text), areSources: false };
}

function questionOf(text: string): string {
  return unfenced(between(text, '<question>', '</question>') ?? text);
}

function fencedPassages(text: string): PromptPassage[] {
  const fence = between(text, '<passages>', '</passages>') ?? '';
  return fence.split('\n</passage>').flatMap((part, index) => {
    const match = /^\s*<passage((?: [a-z]+="[^"]*")*)>\n/.exec(part);
    if (match === null) return [];
    const values = new Map([...match[1]!.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
    const source = attributeText(values.get('source'));
    const section = attributeText(values.get('section'));
    const words = unfenced(part.slice(match[0].length));
    const passage = {
      number: Number(values.get('number') ?? index + 1),
      documentId: source,
      source,
      title: attributeText(values.get('title')) || source,
      headings: section === '' ? [] : section.split(' › '),
      start: 0,
      end: words.length,
      text: words,
      tableHeader: '',
    };
    return [passage];
  });
}

/** Not by an expression, which takes quadratic time over what is opened often and never closed. */
function between(text: string, opening: string, closing: string): string | undefined {
  const start = text.indexOf(opening);
  const end = start < 0 ? -1 : text.indexOf(closing, start);
  return end < 0 ? undefined : text.slice(start + opening.length, end);
}

function sourcePassage({ source, title, blocks }: ConversationSource, index: number): PromptPassage {
  const text = blocks.join('\n');
  return {
    number: index + 1,
    documentId: source,
    source,
    title,
    headings: [],
    start: 0,
    end: text.length,
    text,
    tableHeader: '',
  };
}

/** The inverse of what the fence does to tags of its own in the text. */
function unfenced(text: string): string {
  return text.replace(/&lt;(?=\s*\/?\s*(?:passages?|question)(?![\p{L}\p{N}]))/giu, '<');
}

function attributeText(value = ''): string {
  return value.replaceAll('&quot;', '"').replaceAll('&gt;', '>').replaceAll('&lt;', '<').replaceAll('&amp;', '&');
}
