import type { BlockKind } from '@aquifer/contracts';
import { collapseSpace } from '../markup/parse-markup.js';
import { walkXml } from '../parse-xml.js';
import { appendTable, type Table } from '../table-rows.js';
import type { TextBuilder } from '../text-builder.js';
import type { OpenDocumentFile } from './open-document-file.js';
import { createOpenDocumentStyles, type OpenDocumentStyles } from './open-document-styles.js';
import { createOpenDocumentTable, type OpenDocumentTable } from './open-document-table.js';

/**
 * Never read: what was deleted, remarks, forms, and indexes, which repeat headings with page numbers of the paper. The reading aid
 * over Japanese characters (`text:ruby-text`) would stand between them.
 */
const skipped = new Set(
  (
    'text:tracked-changes office:annotation office:forms office:scripts office:event-listeners text:sequence-decls ' +
    'text:variable-decls text:user-field-decls text:table-of-content text:alphabetical-index text:illustration-index ' +
    'text:table-index text:object-index text:user-index text:bibliography-source text:ruby-text svg:title svg:desc ' +
    'presentation:header-decl presentation:footer-decl presentation:date-time-decl style:header style:footer'
  ).split(' '),
);

/** Placeholders of slides that repeat on every one. */
const repeatedClasses = new Set(['page-number', 'date-time', 'footer', 'header']);

/** A line break inside a paragraph. The text builder makes a newline of it, while newlines of the source are just space. */
const lineBreak = '\u2028';

interface TextOutput {
  readonly kind: BlockKind;
  readonly text: string;
  readonly level?: number;
  readonly startsGroup?: boolean;
}

type Output = TextOutput | Table;

interface OpenParagraph {
  readonly kind: BlockKind;
  readonly level: number | undefined;
  readonly marker: string | undefined;
  readonly parts: string[];
}

interface OpenList {
  readonly style: string | undefined;
  readonly id: string | undefined;
  next: number | undefined;
}

/**
 * Adds the body of an OpenDocument text, presentation or drawing in one pass: headings, paragraphs, list items with their
 * numbers, tables, what stands in frames, charts as tables, and at the end the notes.
 */
export function appendOpenDocument(
  builder: TextBuilder,
  file: OpenDocumentFile,
  name: string,
  signal?: AbortSignal,
): void {
  const styles = createOpenDocumentStyles();
  const shared = file.parts.get('styles.xml');
  if (shared) {
    walkXml(shared, { name, part: 'styles.xml', signal }, { open: styles.open, close: () => {}, text: () => {} });
  }
  const write = (output: Output) => {
    if ('rows' in output) appendTable(builder, output);
    else builder.append(output.kind, output.text, output);
  };
  const objects = new Set<string>();
  const context = { file, name, signal, styles, objects, beginPage: builder.beginPage };
  walkBody(context, 'content.xml', write);
}

interface WalkContext {
  readonly file: OpenDocumentFile;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
  readonly styles: OpenDocumentStyles;
  /** Embedded objects that have been read; each is read once. */
  readonly objects: Set<string>;
  readonly beginPage: (page: number) => void;
}

function walkBody(context: WalkContext, part: string, write: (output: Output) => void): void {
  const { styles } = context;
  const bytes = context.file.parts.get(part);
  if (!bytes) return;
  /** Where output goes: what stands inside a paragraph, cell or note waits until that is complete. */
  const sinks: Output[][] = [];
  const paragraphs: OpenParagraph[] = [];
  const tables: OpenDocumentTable[] = [];
  const lists: OpenList[] = [];
  /** The numbers at which lists ended, by their id and by style and level. */
  const ended = new Map<string, number>();
  const notes: { citation: string; outputs: readonly Output[] }[] = [];
  /** Classes of the open frames of a slide. */
  const frames: (string | undefined)[] = [];
  let inBody = false;
  let skippedDepth = 0;
  let pages = 0;
  let marker: string | undefined;
  let listBegins = false;
  let citation = '';
  let inCitation = false;

  function emit(output: Output): void {
    const sink = sinks.at(-1);
    if (sink) sink.push(output);
    else write(output);
  }

  function openParagraph(element: string, attributes: Readonly<Record<string, string>>): void {
    const level = Number.parseInt(attributes['text:outline-level'] ?? '', 10);
    const heading =
      frames.at(-1) === 'title'
        ? 1
        : element === 'text:h'
          ? Math.min(Math.max(level || 1, 1), 6)
          : styles.headingLevel(attributes['text:style-name']);
    const isItem = heading === undefined && lists.length > 0;
    paragraphs.push({
      kind: heading !== undefined ? 'heading' : isItem ? 'list-item' : 'paragraph',
      level: heading ?? (isItem ? lists.length : undefined),
      marker: isItem ? marker : undefined,
      parts: [],
    });
    if (isItem) marker = undefined;
    sinks.push([]);
  }

  function closeParagraph(): void {
    const paragraph = paragraphs.pop();
    const inside = sinks.pop() ?? [];
    if (!paragraph) return;
    const { kind, level } = paragraph;
    const text = collapseSpace(paragraph.parts.join('')).trim();
    if (text !== '') {
      emit({
        kind,
        text: (paragraph.marker === undefined ? '' : `${paragraph.marker} `) + oneLineHeading(kind, text),
        ...(level !== undefined && { level }),
        ...(kind === 'list-item' && { startsGroup: listBegins }),
      });
      if (kind === 'list-item') listBegins = false;
    }
    for (const output of inside) emit(output);
  }

  function openList(attributes: Readonly<Record<string, string>>): void {
    if (lists.length === 0) listBegins = true;
    const style = attributes['text:style-name'] ?? lists.at(-1)?.style;
    const level = styles.listLevel(style, lists.length + 1);
    let next = level?.isNumbered ? level.start : undefined;
    if (next !== undefined) {
      const previous = attributes['text:continue-list'];
      if (previous !== undefined) next = ended.get(`#${previous}`) ?? next;
      else if (attributes['text:continue-numbering'] === 'true')
        next = ended.get(`${lists.length} ${style ?? ''}`) ?? next;
    }
    lists.push({ style, id: attributes['xml:id'], next });
  }

  function closeList(): void {
    const list = lists.pop();
    marker = undefined;
    if (list?.next === undefined) return;
    ended.set(`${lists.length} ${list.style ?? ''}`, list.next);
    if (list.id !== undefined) ended.set(`#${list.id}`, list.next);
  }

  function openItem(attributes: Readonly<Record<string, string>>): void {
    const list = lists.at(-1);
    marker = undefined;
    if (list?.next === undefined) return;
    const own = Number.parseInt(attributes['text:start-value'] ?? '', 10);
    const number = Number.isSafeInteger(own) ? own : list.next;
    marker = `${number}.`;
    list.next = number + 1;
  }

  function closeTable(): void {
    const table = tables.pop();
    if (!table) return;
    if (table.isData()) emit(table.finish());
    else for (const output of table.outputs as readonly Output[]) emit(output);
  }

  function open(element: string, attributes: Readonly<Record<string, string>>): void {
    if (skippedDepth > 0 || skipped.has(element)) {
      skippedDepth++;
      return;
    }
    if (!inBody) {
      styles.open(element, attributes);
      if (element === 'office:body') inBody = true;
      return;
    }
    switch (element) {
      case 'text:p':
      case 'text:h':
        openParagraph(element, attributes);
        break;
      case 'text:s':
      case 'text:tab':
        paragraphs.at(-1)?.parts.push(' ');
        break;
      case 'text:line-break':
        paragraphs.at(-1)?.parts.push(lineBreak);
        break;
      case 'text:list':
        openList(attributes);
        break;
      case 'text:list-item':
        openItem(attributes);
        break;
      case 'text:note-citation':
        citation = '';
        inCitation = true;
        break;
      case 'text:note-body':
        sinks.push([]);
        break;
      case 'table:table':
        tables.push(createOpenDocumentTable());
        break;
      case 'table:table-header-rows':
        tables.at(-1)?.beginHeader();
        break;
      case 'table:table-row':
        tables.at(-1)?.beginRow();
        break;
      case 'table:table-cell':
      case 'table:covered-table-cell':
        sinks.push([]);
        tables.at(-1)?.beginCell(attributes, element === 'table:covered-table-cell');
        break;
      case 'draw:page':
        // Objects of a slide have pages of their own, which are not the document's.
        if (part === 'content.xml') context.beginPage(++pages);
        break;
      case 'draw:frame':
      case 'draw:custom-shape':
        if (repeatedClasses.has(attributes['presentation:class'] ?? '')) skippedDepth++;
        else frames.push(attributes['presentation:class']);
        break;
      case 'draw:object': {
        const object = `${(attributes['xlink:href'] ?? '').replace(/^\.\//, '')}/content.xml`;
        if (part === 'content.xml' && !context.objects.has(object)) {
          context.objects.add(object);
          walkBody(context, object, emit);
        }
        break;
      }
    }
  }

  function close(element: string): void {
    if (skippedDepth > 0) {
      skippedDepth--;
      return;
    }
    if (!inBody) return;
    switch (element) {
      case 'text:p':
      case 'text:h':
        closeParagraph();
        break;
      case 'text:list':
        closeList();
        break;
      case 'text:note-citation':
        inCitation = false;
        paragraphs.at(-1)?.parts.push(`[${citation.trim()}]`);
        break;
      case 'text:note-body':
        notes.push({ citation: citation.trim(), outputs: sinks.pop() ?? [] });
        break;
      case 'table:table':
        closeTable();
        break;
      case 'table:table-header-rows':
        tables.at(-1)?.endHeader();
        break;
      case 'table:table-row':
        tables.at(-1)?.endRow();
        break;
      case 'table:table-cell':
      case 'table:covered-table-cell': {
        const outputs = sinks.pop() ?? [];
        tables.at(-1)?.endCell(outputs, outputs.map(textOfOutput).join(' '));
        break;
      }
      case 'draw:frame':
      case 'draw:custom-shape':
        frames.pop();
        break;
      case 'office:body':
        inBody = false;
        break;
    }
  }

  walkXml(
    bytes,
    { name: context.name, part, signal: context.signal },
    {
      open,
      close,
      text(value) {
        if (skippedDepth > 0 || !inBody) return;
        if (inCitation) citation += value;
        else paragraphs.at(-1)?.parts.push(value);
      },
    },
  );
  for (const [index, note] of notes.entries()) {
    for (const [position, output] of note.outputs.entries()) {
      if ('rows' in output) emit(output);
      else
        emit({
          kind: 'list-item',
          text: position === 0 && note.citation ? `[${note.citation}] ${output.text}` : output.text,
          level: 1,
          startsGroup: index === 0 && position === 0,
        });
    }
  }
}

function oneLineHeading(kind: BlockKind, text: string): string {
  return kind === 'heading' ? text.replaceAll(lineBreak, ' ') : text;
}

function textOfOutput(output: Output): string {
  return 'rows' in output ? output.rows.map((row) => row.join(' ')).join(' ') : output.text;
}
