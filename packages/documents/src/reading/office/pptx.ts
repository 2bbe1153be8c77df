import { AquiferError, type Reader, throwIfAborted } from '@aquifer/contracts';
import { childOf, childrenOf, descendantsOf, parseXml, type XmlElement, xmlAttribute } from '../parse-xml.js';
import { isPptx } from '../signatures.js';
import { appendTable } from '../table-rows.js';
import { createTextBuilder, type TextBuilder } from '../text-builder.js';
import type { ZipParts } from '../zip-archive.js';
import { chartTable } from './office-chart.js';
import { isEncryptedOffice, officeProperties, unpackOffice } from './office-file.js';
import { type Relationship, relationshipsOf } from './package-parts.js';
import { appendParagraphs, appendSlideTable, paragraphText } from './slide-text.js';

/** Placeholders that repeat on every slide: its number, the date, header and footer. */
const repeated = new Set(['sldNum', 'dt', 'ftr', 'hdr']);
const titles = new Set(['title', 'ctrTitle']);
const lists = new Set(['body', 'obj', undefined]);

/** What PowerPoint writes where nobody has given a title. */
const noTitle =
  /^(?:powerpoint[- ](?:presentation|präsentation|プレゼンテーション)|présentation powerpoint|slide 1|スライド 1)$/i;

interface Slide {
  readonly parts: ZipParts;
  readonly name: string;
  readonly path: string;
  readonly relationships: ReadonlyMap<string, Relationship>;
  readonly signal: AbortSignal | undefined;
}

/** Reads PowerPoint presentations: a page a slide, its title a heading; lists, tables, the numbers of charts, SmartArt, notes. */
export const pptxReader: Reader = {
  id: 'pptx',
  mediaTypes: ['application/vnd.openxmlformats-officedocument.presentationml.presentation'],
  extensions: ['.pptx', '.pptm', '.ppsx', '.ppsm', '.potx'],
  recognises: (bytes) => isPptx(bytes) || isEncryptedOffice(bytes),
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    const parts = unpackOffice(bytes, name, 'a PowerPoint presentation', '.pptx');
    const paths = slidePaths(parts, name);
    const builder = createTextBuilder();
    for (const [index, path] of paths.entries()) {
      throwIfAborted(signal);
      builder.beginPage(index + 1);
      const relationships = relationshipsOf(parts, path, name);
      appendSlide(builder, { parts, name, path, relationships, signal });
    }
    const content = builder.finish();
    const { title = '', metadata } = officeProperties(parts);
    const first = content.blocks.find(({ kind }) => kind === 'heading');
    const heading = first ? content.text.slice(first.start, first.end).replaceAll('\n', ' ') : '';
    const best = title && !noTitle.test(title) ? title : heading;
    return { ...content, ...(best && { title: best }), metadata, omissions: [] };
  },
};

/** Paths of the slides in the order in which they are shown. */
function slidePaths(parts: ZipParts, name: string): string[] {
  const main = [...relationshipsOf(parts, '', name).values()].find(({ type }) => type === 'officeDocument');
  const path = main?.path ?? 'ppt/presentation.xml';
  const part = parts.get(path);
  if (!part) {
    throw new AquiferError(
      'invalid-document',
      `${name} is damaged and cannot be read as a PowerPoint presentation: it has no ${path}. Open it in PowerPoint and save it again.`,
    );
  }
  const relationships = relationshipsOf(parts, path, name);
  const list = childOf(parseXml(part, { name, part: path }), 'sldIdLst');
  const found = new Set<string>();
  for (const item of childrenOf(list, 'sldId')) {
    // It has an `id` without a prefix too, which is another one.
    const key = Object.keys(item.attributes).find((attribute) => /:id$/.test(attribute));
    const slide = key === undefined ? undefined : relationships.get(item.attributes[key]!);
    if (slide) found.add(slide.path);
  }
  return [...found];
}

function appendSlide(builder: TextBuilder, slide: Slide): void {
  const root = partOf(slide, slide.path);
  const shapes = [...shapesOf(childOf(childOf(root, 'cSld'), 'spTree'))];
  // The title is read first, wherever it was drawn.
  const isTitle = (shape: XmlElement) => titles.has(placeholderOf(shape)?.type ?? '');
  for (const shape of [...shapes.filter(isTitle), ...shapes.filter((one) => !isTitle(one))]) {
    if (shape.name === 'graphicFrame') appendGraphic(builder, shape, slide);
    else appendShape(builder, shape);
  }
  for (const { type, path } of slide.relationships.values()) {
    if (type !== 'notesSlide') continue;
    for (const shape of shapesOf(childOf(childOf(partOf(slide, path), 'cSld'), 'spTree'))) {
      if (placeholderOf(shape)?.type === 'body') appendParagraphs(builder, childOf(shape, 'txBody'), { isList: false });
    }
  }
}

/** Shapes in the order of the file, which is the one that screen readers follow; groups opened. */
function* shapesOf(tree: XmlElement | undefined): Generator<XmlElement> {
  const stack = childrenOf(tree).reverse();
  for (let item = stack.pop(); item; item = stack.pop()) {
    if (item.name === 'sp' || item.name === 'graphicFrame') yield item;
    // Of the alternatives for programs of different age, the first holds everything.
    const inside =
      item.name === 'AlternateContent'
        ? childrenOf(childOf(item, 'Choice') ?? childOf(item, 'Fallback'))
        : item.name === 'grpSp'
          ? childrenOf(item)
          : [];
    for (const child of inside.reverse()) stack.push(child);
  }
}

function placeholderOf(shape: XmlElement): { readonly type: string | undefined } | undefined {
  const place = childOf(childOf(childOf(shape), 'nvPr'), 'ph');
  return place && { type: xmlAttribute(place, 'type') };
}

function appendShape(builder: TextBuilder, shape: XmlElement): void {
  const body = childOf(shape, 'txBody');
  const place = placeholderOf(shape);
  if (!body || repeated.has(place?.type ?? '')) return;
  if (place && titles.has(place.type ?? '')) {
    const title = childrenOf(body, 'p').map(paragraphText).join(' ').replace(/\s+/g, ' ');
    builder.append('heading', title, { level: 1 });
  } else {
    appendParagraphs(builder, body, { isList: place !== undefined && lists.has(place.type) });
  }
}

function appendGraphic(builder: TextBuilder, frame: XmlElement, slide: Slide): void {
  const data = childOf(childOf(frame, 'graphic'), 'graphicData');
  const [table] = descendantsOf(data, 'tbl');
  if (table) {
    appendSlideTable(builder, table);
    return;
  }
  const content = childOf(data);
  if (content?.name === 'chart') {
    const target = slide.relationships.get(xmlAttribute(content, 'id') ?? '');
    const chart = target && partOf(slide, target.path);
    if (chart) appendTable(builder, chartTable(chart));
  } else if (content?.name === 'relIds') {
    // SmartArt: its model has a text for every point.
    const target = slide.relationships.get(xmlAttribute(content, 'dm') ?? '');
    const points = target ? descendantsOf(childOf(partOf(slide, target.path), 'ptLst'), 'pt') : [];
    for (const point of points) {
      const type = xmlAttribute(point, 'type') ?? 'node';
      if (type === 'node' || type === 'asst') appendParagraphs(builder, childOf(point, 't'), { isList: true });
    }
  }
}

/** A part as a tree, or undefined where the file refers to one that it does not have. */
function partOf({ parts, name, signal }: Slide, path: string): XmlElement | undefined {
  const part = parts.get(path);
  return part && parseXml(part, { name, part: path, signal });
}
