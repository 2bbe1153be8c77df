import { type BlockKind, throwIfAborted } from '@aquifer/contracts';
import { appendTable } from '../table-rows.js';
import type { TextBuilder } from '../text-builder.js';
import { isDataTable, readTable } from './markup-table.js';
import {
  alternativeText,
  attribute,
  collapseSpace,
  isBlock,
  isElement,
  isText,
  type MarkupElement,
  type MarkupNode,
  type MarkupParent,
} from './parse-markup.js';

export interface AppendMarkupOptions {
  /** Leaves out an element and everything inside, beyond what is never shown. */
  readonly skip?: (element: MarkupElement) => boolean;
  /** Whether the items of ordered lists begin with their number. False where the markup does not know it. Default true. */
  readonly numbersLists?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Never shown as text, or shown as a control. The reading aid over Japanese characters (`rt`) would stand between them. */
const neverRead = new Set(
  (
    'applet area audio base canvas col colgroup datalist embed frame frameset head iframe input link map meta meter noembed noframes noscript ' +
    'object option progress rp rt script select style svg template textarea title video'
  ).split(' '),
);

const listTags = new Set(['ul', 'ol', 'menu', 'dir']);
const codeTags = new Set(['pre', 'listing', 'xmp', 'plaintext']);

/** A line break inside a block. The text builder makes a newline of it, while newlines of the source are just space. */
const lineBreak = '\u2028';

interface Context {
  readonly kind: BlockKind;
  readonly level?: number;
  /** Written before the first text of a list item: its number. */
  marker?: string | undefined;
}

/** Walks through markup whose parts come one after the other. */
export interface MarkupAppender {
  /** Adds nodes that follow those before. */
  append(nodes: readonly MarkupNode[]): void;
  /** Adds what may have been continued. */
  finish(): void;
}

/**
 * Adds the text and structure of parsed markup: headings, paragraphs, list items, tables, code.
 *
 * ```ts
 * const builder = createTextBuilder();
 * appendMarkup(builder, parseMarkup('<h1>Leave</h1><p>Ask <b>early</b>.'));
 * builder.finish().text; // 'Leave\n\nAsk early.'
 * ```
 */
export function appendMarkup(builder: TextBuilder, root: MarkupParent, options: AppendMarkupOptions = {}): void {
  const appender = createMarkupAppender(builder, options);
  appender.append(isElement(root as MarkupNode) ? [root as MarkupElement] : root.childNodes);
  appender.finish();
}

/**
 * The one walk through HTML of every origin. It does not recurse, and takes time linear in the number of nodes.
 */
export function createMarkupAppender(builder: TextBuilder, options: AppendMarkupOptions = {}): MarkupAppender {
  const skip = (element: MarkupElement) => neverRead.has(element.tagName) || (options.skip?.(element) ?? false);
  const contexts: Context[] = [{ kind: 'paragraph' }];
  /** Next number of each open list; undefined for lists without numbers. */
  const lists: (number | undefined)[] = [];
  let listBegins = false;
  let inline: string[] = [];
  let endsInBreak = false;

  function flush(): void {
    if (inline.length === 0) return;
    const joined = inline.join('');
    inline = [];
    endsInBreak = false;
    const context = contexts.at(-1)!;
    if (context.kind === 'code') {
      builder.append('code', joined);
      return;
    }
    const text = collapseSpace(joined);
    if (!/[^\s\u2028]/.test(text)) return;
    const block = builder.append(
      context.kind,
      context.marker === undefined ? text : `${context.marker} ${text.trim()}`,
      {
        ...(context.level !== undefined && { level: context.level }),
        ...(context.kind === 'list-item' && { startsGroup: listBegins }),
      },
    );
    if (!block) return;
    context.marker = undefined;
    if (context.kind === 'list-item') listBegins = false;
  }

  function breakLine(): void {
    const { kind } = contexts.at(-1)!;
    if (kind === 'code') inline.push('\n');
    else if (kind === 'heading') inline.push(' ');
    else if (endsInBreak) flush();
    else {
      inline.push(lineBreak);
      endsInBreak = true;
    }
  }

  function addText(value: string): void {
    if (endsInBreak && /\S/.test(value)) endsInBreak = false;
    inline.push(value);
  }

  /** Returns whether to go inside. */
  function enter(element: MarkupElement): boolean {
    const { tagName } = element;
    if (skip(element)) return false;
    if (tagName === 'br') breakLine();
    if (tagName === 'img') {
      const text = alternativeText(element);
      if (text) addText(` ${text} `);
    }
    // Elsewhere a button is a control; in a heading it opens what stands under that heading.
    if (tagName === 'button' && contexts.at(-1)!.kind !== 'heading') return false;
    if (!isBlock(element)) return true;
    flush();
    if (tagName === 'table' && isDataTable(element, skip)) {
      appendTable(builder, readTable(element, skip));
      return false;
    }
    if (listTags.has(tagName)) {
      if (lists.length === 0) listBegins = true;
      lists.push(tagName === 'ol' && options.numbersLists !== false ? firstNumber(element) : undefined);
    } else if (/^h[1-6]$/.test(tagName)) {
      contexts.push({ kind: 'heading', level: Number(tagName[1]) });
    } else if (codeTags.has(tagName)) {
      contexts.push({ kind: 'code' });
    } else if (tagName === 'li') {
      let number = lists.at(-1);
      if (number !== undefined) {
        number = integer(attribute(element, 'value')) ?? number;
        lists[lists.length - 1] = number + 1;
      }
      contexts.push({
        kind: 'list-item',
        level: Math.max(1, lists.length),
        ...(number !== undefined && { marker: `${number}.` }),
      });
    } else if (tagName === 'dd') {
      contexts.push({ kind: 'list-item', level: lists.length + 1 });
    }
    return true;
  }

  function leave(element: MarkupElement): void {
    const { tagName } = element;
    if (!isBlock(element)) return;
    flush();
    if (listTags.has(tagName)) lists.pop();
    else if (/^h[1-6]$/.test(tagName) || codeTags.has(tagName) || tagName === 'li' || tagName === 'dd') contexts.pop();
    else if (tagName === 'dl') listBegins = true;
  }

  const stack: { readonly node: MarkupNode; readonly isLeft: boolean }[] = [];
  const push = (nodes: readonly MarkupNode[]) => {
    for (let index = nodes.length - 1; index >= 0; index--) stack.push({ node: nodes[index]!, isLeft: false });
  };
  let visited = 0;
  return {
    append(nodes) {
      push(nodes);
      for (let item = stack.pop(); item; item = stack.pop()) {
        if (++visited % 4096 === 0) throwIfAborted(options.signal);
        const { node, isLeft } = item;
        if (isText(node)) addText(node.value);
        if (!isElement(node)) continue;
        if (isLeft) leave(node);
        else if (enter(node)) {
          stack.push({ node, isLeft: true });
          push(node.childNodes);
        }
      }
    },
    finish: flush,
  };
}

/** Where a list begins to count, or undefined where it shows something else than ascending numbers. */
function firstNumber(list: MarkupElement): number | undefined {
  const isPlain = (attribute(list, 'type') ?? '1') === '1' && attribute(list, 'reversed') === undefined;
  return isPlain ? (integer(attribute(list, 'start')) ?? 1) : undefined;
}

function integer(value: string | undefined): number | undefined {
  const number = Number.parseInt(value ?? '', 10);
  return Number.isSafeInteger(number) ? number : undefined;
}
