import { childOf, childrenOf, parseXml, type XmlElement, xmlAttribute } from '../parse-xml.js';
import type { ZipParts } from '../zip-archive.js';
import { formatListNumber } from './list-numbers.js';

/** One level of a list (ECMA-376 part 1, 17.9.6). */
interface Level {
  readonly start: number;
  readonly format: string;
  /** What is printed: `%1.%2` has the numbers of the first two levels. */
  readonly text: string;
  /** The level, from 1, whose paragraphs make this one begin anew; 0 for none. */
  readonly restartsAfter: number;
  /** Whether the numbers of all levels are shown as digits. */
  readonly isLegal: boolean;
  readonly style: string | undefined;
}

interface List {
  /** Lists of the same definition count on together. */
  readonly definition: string;
  readonly levels: readonly (Level | undefined)[];
  /** Levels that begin anew, with their number, where this list is used for the first time. */
  readonly starts: ReadonlyMap<number, number>;
}

interface Place {
  readonly list: string;
  readonly level: number;
}

const levelCount = 9;
const maxAncestors = 20;

/**
 * The main part of a Word document, with the numbers of numbered paragraphs and headings as text before them: programs print them, and
 * people refer to them ("section 2.1"), but the file only says how to count.
 */
export function withNumbers(xml: string, parts: ZipParts, name: string): string {
  const lists = readLists(parts, name);
  if (lists.size === 0) return xml;
  const placeOfStyle = readStylePlaces(parts, name, lists);
  const labelOf = createCounter(lists);
  const pieces: string[] = [];
  let copied = 0;
  let choice = xml.indexOf('<mc:Choice');
  for (let position = xml.indexOf('<w:p'); position >= 0; position = xml.indexOf('<w:p', position)) {
    // Of the alternatives for programs of different age, the library reads the other one.
    if (choice >= 0 && choice < position) {
      const end = xml.indexOf('</mc:Choice>', choice);
      if (end < 0) break;
      choice = xml.indexOf('<mc:Choice', end);
      position = Math.max(position, end);
      continue;
    }
    const tagEnd = xml.indexOf('>', position) + 1;
    if (tagEnd === 0) break;
    const isParagraph = /^<w:p(?:\s|>)/.test(xml.slice(position, position + 5)) && xml[tagEnd - 2] !== '/';
    position = tagEnd;
    if (!isParagraph || !xml.startsWith('<w:pPr>', tagEnd)) continue;
    const propertiesEnd = endOfProperties(xml, tagEnd);
    if (propertiesEnd < 0) break;
    position = propertiesEnd;
    // What the properties were before a tracked change does not count.
    const properties = xml.slice(tagEnd, propertiesEnd).replace(/<w:pPrChange[\s\S]*/, '');
    const place = placeOf(properties, placeOfStyle);
    const label = place === undefined ? '' : labelOf(place);
    const paragraphEnd = xml.indexOf('</w:p>', propertiesEnd);
    const hasText = /<w:t(?:\s[^<>]*)?>[^<]/.test(
      xml.slice(propertiesEnd, paragraphEnd < 0 ? undefined : paragraphEnd),
    );
    if (label === '' || !hasText) continue;
    pieces.push(
      xml.slice(copied, propertiesEnd),
      `<w:r><w:t xml:space="preserve">${label.replace(/&/g, '&amp;').replace(/</g, '&lt;')} </w:t></w:r>`,
    );
    copied = propertiesEnd;
  }
  pieces.push(xml.slice(copied));
  return pieces.join('');
}

function endOfProperties(xml: string, start: number): number {
  const end = xml.indexOf('</w:pPr>', start);
  if (end < 0) return -1;
  if (!xml.slice(start, end).includes('<w:pPrChange')) return end + '</w:pPr>'.length;
  const changeEnd = xml.indexOf('</w:pPrChange>', end);
  const outer = changeEnd < 0 ? -1 : xml.indexOf('</w:pPr>', changeEnd);
  return outer < 0 ? -1 : outer + '</w:pPr>'.length;
}

function placeOf(properties: string, placeOfStyle: (style: string) => Place | undefined): Place | undefined {
  const style = /<w:pStyle\s+w:val="([^"]*)"/.exec(properties)?.[1];
  const inherited = style === undefined ? undefined : placeOfStyle(style);
  const own = /<w:numPr>([\s\S]*?)<\/w:numPr>/.exec(properties)?.[1];
  if (own === undefined) return inherited;
  const list = /<w:numId\s+w:val="([^"]*)"/.exec(own)?.[1] ?? inherited?.list;
  const level = /<w:ilvl\s+w:val="(\d)"/.exec(own)?.[1];
  return list === undefined
    ? undefined
    : { list, level: level === undefined ? (inherited?.level ?? 0) : Number(level) };
}

/** Counts the paragraphs of each list in the order of the document. */
function createCounter(lists: ReadonlyMap<string, List>): (place: Place) => string {
  const numbers = new Map<string, (number | undefined)[]>();
  const begun = new Set<string>();
  return ({ list: id, level: index }) => {
    const list = lists.get(id);
    const level = list?.levels[index];
    if (!list || !level) return '';
    let counts = numbers.get(list.definition);
    if (!counts) {
      counts = [];
      numbers.set(list.definition, counts);
    }
    if (!begun.has(id)) {
      begun.add(id);
      for (const [at, start] of list.starts) {
        // Set below its start, as the first paragraph counts up.
        counts[at] = start - 1;
      }
    }
    for (let upper = 0; upper < index; upper++) counts[upper] ??= list.levels[upper]?.start ?? 0;
    const count = counts[index];
    counts[index] = count === undefined ? level.start : count + 1;
    for (let lower = index + 1; lower < levelCount; lower++) {
      const after = list.levels[lower]?.restartsAfter ?? lower;
      if (index < after) counts[lower] = undefined;
    }
    if (level.format === 'bullet' || level.format === 'none') return '';
    const shown = counts;
    return level.text
      .replace(/%([1-9])/g, (_, digit) => {
        const at = Number(digit) - 1;
        const own = list.levels[at]?.format ?? 'decimal';
        if (own === 'bullet' || own === 'none') return '';
        const format = level.isLegal ? 'decimal' : own;
        return formatListNumber(shown[at] ?? list.levels[at]?.start ?? 0, format);
      })
      .trim();
  };
}

function readLists(parts: ZipParts, name: string): ReadonlyMap<string, List> {
  const part = 'word/numbering.xml';
  const bytes = parts.get(part);
  const lists = new Map<string, List>();
  if (!bytes) return lists;
  const root = parseXml(bytes, { name, part });
  const definitions = new Map(childrenOf(root, 'abstractNum').map((one) => [xmlAttribute(one, 'abstractNumId'), one]));
  const byStyle = new Map(
    [...definitions]
      .map(([id, one]) => [valueOfChild(one, 'styleLink'), id] as const)
      .filter(([style]) => style !== undefined),
  );
  for (const element of childrenOf(root, 'num')) {
    const id = xmlAttribute(element, 'numId');
    let definition = valueOfChild(element, 'abstractNumId');
    const linked = valueOfChild(definitions.get(definition), 'numStyleLink');
    if (linked !== undefined) definition = byStyle.get(linked) ?? definition;
    if (id === undefined || definition === undefined) continue;
    const levels: (Level | undefined)[] = [];
    for (const level of childrenOf(definitions.get(definition), 'lvl')) setLevel(levels, level);
    const starts = new Map<number, number>();
    for (const change of childrenOf(element, 'lvlOverride')) {
      const at = Number(xmlAttribute(change, 'ilvl'));
      const start = valueOfChild(change, 'startOverride');
      const level = childOf(change, 'lvl');
      if (level) setLevel(levels, level);
      if (start !== undefined && at >= 0 && at < levelCount) starts.set(at, integer(start, 1));
    }
    lists.set(id, { definition, levels, starts });
  }
  return lists;
}

function setLevel(levels: (Level | undefined)[], element: XmlElement): void {
  const index = Number(xmlAttribute(element, 'ilvl'));
  if (!(index >= 0 && index < levelCount && Number.isInteger(index))) return;
  const legal = childOf(element, 'isLgl');
  levels[index] = {
    // Absent means zero (17.9.25).
    start: integer(valueOfChild(element, 'start'), 0),
    format: valueOfChild(element, 'numFmt') ?? 'decimal',
    text: (valueOfChild(element, 'lvlText') ?? `%${index + 1}.`).slice(0, 100),
    restartsAfter: integer(valueOfChild(element, 'lvlRestart'), index),
    isLegal: legal !== undefined && !/^(?:0|false|off)$/.test(xmlAttribute(legal, 'val') ?? ''),
    style: valueOfChild(element, 'pStyle'),
  };
}

/** Where paragraphs of a style are counted, which the style or one that it is based on says. */
function readStylePlaces(
  parts: ZipParts,
  name: string,
  lists: ReadonlyMap<string, List>,
): (style: string) => Place | undefined {
  const part = 'word/styles.xml';
  const bytes = parts.get(part);
  const styles = new Map<string, XmlElement>();
  for (const style of bytes ? childrenOf(parseXml(bytes, { name, part }), 'style') : []) {
    const id = xmlAttribute(style, 'styleId');
    if (id !== undefined) styles.set(id, style);
  }
  return (id) => {
    let current: string | undefined = id;
    let level: number | undefined;
    for (let depth = 0; current !== undefined && depth < maxAncestors; depth++) {
      const style = styles.get(current);
      const properties = childOf(childOf(style, 'pPr'), 'numPr');
      const own = valueOfChild(properties, 'ilvl');
      if (own !== undefined) level ??= integer(own, 0);
      const list = valueOfChild(properties, 'numId');
      if (list !== undefined) {
        const linked = lists.get(list)?.levels.findIndex((one) => one?.style === id) ?? -1;
        return { list, level: level ?? Math.max(0, linked) };
      }
      current = valueOfChild(style, 'basedOn');
    }
    return undefined;
  };
}

function valueOfChild(element: XmlElement | undefined, child: string): string | undefined {
  return xmlAttribute(childOf(element, child), 'val');
}

function integer(value: string | undefined, otherwise: number): number {
  const number = Number.parseInt(value ?? '', 10);
  return Number.isSafeInteger(number) ? number : otherwise;
}
