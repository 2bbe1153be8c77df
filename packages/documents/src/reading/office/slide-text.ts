import { childOf, childrenOf, descendantsOf, type XmlElement, xmlAttribute, xmlText } from '../parse-xml.js';
import { appendTable } from '../table-rows.js';
import type { TextBuilder } from '../text-builder.js';

const maxSpannedColumns = 100;

export interface ParagraphOptions {
  /** Whether paragraphs are items of a list where they do not say otherwise, as in the placeholders of a layout. */
  readonly isList: boolean;
}

/** Adds the paragraphs of a text body (ECMA-376 part 1, 21.1.2): list items with their level and number, or paragraphs. */
export function appendParagraphs(
  builder: TextBuilder,
  body: XmlElement | undefined,
  { isList }: ParagraphOptions,
): void {
  const paragraphs = childrenOf(body, 'p').filter((paragraph) => paragraphText(paragraph).trim() !== '');
  /** The next number at each level. */
  const numbers: number[] = [];
  let startsGroup = true;
  for (const paragraph of paragraphs) {
    const properties = childOf(paragraph, 'pPr');
    const text = paragraphText(paragraph);
    const numbering = childOf(properties, 'buAutoNum');
    const hasBullet = numbering !== undefined || childOf(properties, 'buChar') !== undefined;
    const isItem = hasBullet || (isList && paragraphs.length > 1 && childOf(properties, 'buNone') === undefined);
    if (!isItem) {
      builder.append('paragraph', text);
      numbers.length = 0;
      startsGroup = true;
      continue;
    }
    const level = Math.min(9, Math.max(0, Number(xmlAttribute(properties, 'lvl') ?? 0) || 0));
    numbers.length = Math.min(numbers.length, level + 1);
    let marker = '';
    if (numbering && /^arabic/.test(xmlAttribute(numbering, 'type') ?? '')) {
      const number = numbers[level] ?? (Number(xmlAttribute(numbering, 'startAt') ?? 1) || 1);
      numbers[level] = number + 1;
      marker = `${number}. `;
    }
    builder.append('list-item', marker + text.trim(), { level: level + 1, startsGroup });
    startsGroup = false;
  }
}

/** The text of a paragraph, line breaks as newlines, without the number of the slide. */
export function paragraphText(paragraph: XmlElement): string {
  let text = '';
  for (const child of childrenOf(paragraph)) {
    if (child.name === 'r') text += xmlText(childOf(child, 't'));
    else if (child.name === 'br') text += '\n';
    else if (child.name === 'fld') {
      if (xmlAttribute(child, 'type') !== 'slidenum') text += xmlText(childOf(child, 't'));
    } else if (child.name === 'm' || child.name === 'AlternateContent') {
      // A formula; older programs get a picture of it.
      const formula = child.name === 'm' ? child : childOf(child, 'Choice');
      for (const part of descendantsOf(formula, 't')) text += xmlText(part);
    }
  }
  return text;
}

/** Adds a table. A cell over several rows stands in each of them, one over several columns in the first. */
export function appendSlideTable(builder: TextBuilder, table: XmlElement): void {
  const rows: string[][] = [];
  for (const row of childrenOf(table, 'tr')) {
    const above = rows.at(-1);
    const cells: string[] = [];
    for (const cell of childrenOf(row, 'tc')) {
      if (cells.length >= maxSpannedColumns * 10) break;
      const isContinued = xmlAttribute(cell, 'vMerge') === '1' || xmlAttribute(cell, 'vMerge') === 'true';
      const text = childrenOf(childOf(cell, 'txBody'), 'p').map(paragraphText).join(' ').trim();
      cells.push(text === '' && isContinued ? (above?.[cells.length] ?? '') : text);
    }
    rows.push(cells);
  }
  const hasHeader = xmlAttribute(childOf(table, 'tblPr'), 'firstRow') === '1' && rows.length > 1;
  appendTable(builder, { rows, ...(hasHeader && { headerRow: 0 }) });
}
