import { throwIfAborted } from '@aquifer/contracts';
import type { TextBuilder } from '../text-builder.js';

const listLine =
  /^([ \t\u3000]*)(?:([-*+•‣◦·・●○■]|(?:\d{1,3}|[a-zA-Z])[.)）]|[(（](?:\d{1,3}|[a-zA-Z])[)）]|[①-⑳])[ \t\u3000]*)(?=\S)/u;
const bulletOnly = /^[-*+•‣◦·・●○■][ \t\u3000]*/u;
const underline = /^(?:={3,}|-{3,}|~{3,}|\*{3,}|＝{3,}|ー{3,})[ \t]*$/u;

/** A heading is at most this long, in UTF-16 units. */
const maxHeadingLength = 80;

/**
 * Adds plain text: paragraphs between blank lines, lists where lines begin with a bullet or a number. A line is taken for
 * a heading only where it is underlined, or stands alone, numbered and without a full stop, above a paragraph.
 */
export function appendPlainText(builder: TextBuilder, text: string, signal?: AbortSignal): void {
  const groups = splitGroups(text);
  for (const [index, lines] of groups.entries()) {
    if (index % 1024 === 0) throwIfAborted(signal);
    if (lines.length >= 2 && isHeadingText(lines[0]!) && underline.test(lines[1]!.trim())) {
      builder.append('heading', lines[0]!, { level: /^[=＝*]/u.test(lines[1]!.trim()) ? 1 : 2 });
      appendGroup(builder, lines.slice(2));
    } else if (lines.length === 1 && isNumberedHeading(lines[0]!) && isProse(groups[index + 1])) {
      builder.append('heading', lines[0]!, { level: 1 });
    } else {
      appendGroup(builder, lines);
    }
  }
}

function splitGroups(text: string): string[][] {
  const groups: string[][] = [];
  let lines: string[] = [];
  for (const line of text.split(/\r\n?|[\n\f\u2028\u2029]/)) {
    if (/\S/.test(line)) lines.push(line);
    else if (lines.length > 0) {
      groups.push(lines);
      lines = [];
    }
  }
  if (lines.length > 0) groups.push(lines);
  return groups;
}

function appendGroup(builder: TextBuilder, lines: readonly string[]): void {
  let kind: 'paragraph' | 'list-item' = 'paragraph';
  let block: string[] = [];
  let level = 1;
  let listBegins = true;
  const indents: number[] = [];
  const flush = () => {
    if (kind === 'list-item') {
      if (builder.append(kind, block.join('\n'), { level, startsGroup: listBegins })) listBegins = false;
    } else {
      appendParagraph(builder, block);
    }
    block = [];
  };
  // One numbered line inside a paragraph is a year or an amount that happened to begin a line.
  const items = lines.filter((line) => isListLine(line)).length;
  const isList = items > 1 || (items === 1 && isListLine(lines[0]!));
  for (const line of lines) {
    const match = isList ? listLine.exec(line) : null;
    if (!match || !isListLine(line)) {
      block.push(line);
      continue;
    }
    flush();
    kind = 'list-item';
    const indent = match[1]!.replace(/\t/g, '    ').length;
    while (indents.length > 0 && indents.at(-1)! > indent) indents.pop();
    if (indents.at(-1) !== indent) indents.push(indent);
    level = indents.length;
    block.push(line.slice(match[1]!.length).replace(bulletOnly, ''));
  }
  flush();
}

/** Lines that are cleaned together. A log without a blank line is one paragraph, and would be there several times at once. */
const linesTogether = 1024;

function appendParagraph(builder: TextBuilder, lines: readonly string[]): void {
  let isBegun = false;
  for (let start = 0; start < lines.length; start += linesTogether) {
    const text = lines.slice(start, start + linesTogether).join('\n');
    if (isBegun) builder.extend(text, { cut: 0, separator: '\n' });
    else isBegun = builder.append('paragraph', text) !== undefined;
  }
}

/** A bullet needs white space after it, but for the Japanese ones; a letter or number too, so that `3.14` is no item. */
function isListLine(line: string): boolean {
  const match = listLine.exec(line);
  return match !== null && (/[ \t\u3000]$/.test(match[0]) || /[・●○■①-⑳]$/u.test(match[0]));
}

function isHeadingText(line: string): boolean {
  const text = line.trim();
  return text.length > 0 && text.length <= maxHeadingLength && /\p{L}/u.test(text);
}

function isNumberedHeading(line: string): boolean {
  const text = line.trim();
  return (
    isHeadingText(text) &&
    /^(?:\d{1,2}(?:\.\d{1,2})*[.)]?[ \t\u3000]+\S|第[\d０-９一二三四五六七八九十百]+[章節条])/u.test(text) &&
    !/[.。．,、:：;!?！？]$/u.test(text)
  );
}

function isProse(lines: readonly string[] | undefined): boolean {
  return lines !== undefined && !(lines.length === 1 && isNumberedHeading(lines[0]!)) && lines.join('').length > 20;
}
