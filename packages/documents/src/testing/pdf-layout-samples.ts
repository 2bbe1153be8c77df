import { pdfOfObjects } from './pdf-samples.js';

/** Fonts of sample PDFs. None is embedded: viewers bring the standard ones, and any Japanese one for `mincho` and `tategaki`. */
export type SampleFont = 'regular' | 'bold' | 'mono' | 'mincho' | 'tategaki' | 'mapped' | 'unmapped';

export interface TextStyle {
  readonly size?: number;
  readonly font?: SampleFont;
  /** Counter-clockwise, in degrees. */
  readonly turn?: 0 | 90 | 180 | 270;
}

export interface SamplePage {
  /** Operators of a content stream (ISO 32000-1, 7.8.2), such as {@link textAt} gives. */
  readonly content: string;
  /** Degrees clockwise by which a viewer turns the page. */
  readonly rotate?: 0 | 90 | 180 | 270;
}

export interface SampleField {
  /** Page, from 1. */
  readonly page: number;
  readonly name: string;
  readonly value: string;
  readonly kind?: 'text' | 'check';
  readonly tooltip?: string;
}

export interface SampleOptions {
  readonly bookmarks?: readonly { readonly title: string; readonly children?: readonly string[] }[];
  readonly fields?: readonly SampleField[];
}

/** A4, in points. */
export const pageWidth = 595;
export const pageHeight = 842;

/** What the codes of the font `mapped` stand for: its first letters are ligatures, the others Hebrew. */
const mappedCodes = ['fi', 'fl', 'ffi', ...'אבגדהוזחטיךכלםמןנסעףפץצקרשת '];
const firstMappedCode = 0x41;

function encoded(text: string, font: SampleFont): string {
  if (font === 'mincho' || font === 'tategaki') {
    return `<${[...Buffer.from(text, 'utf16le').swap16()].map((byte) => byte.toString(16).padStart(2, '0')).join('')}>`;
  }
  if (font === 'unmapped') {
    // Glyph numbers as TrueType fonts have them: 29 less than ASCII.
    return `<${[...text].map((letter) => (letter.charCodeAt(0) - 29).toString(16).padStart(4, '0')).join('')}>`;
  }
  if (font === 'mapped') {
    const codes = text.match(/ffi|fi|fl|./gu)?.map((one) => mappedCodes.indexOf(one) + firstMappedCode) ?? [];
    return `<${codes.map((code) => code.toString(16)).join('')}>`;
  }
  return `(${text.replace(/[\\()]/g, '\\$&')})`;
}

/** Text at a place, counted from the top left of the page. */
export function textAt(text: string, x: number, y: number, style: TextStyle = {}): string {
  const { size = 10, font = 'regular', turn = 0 } = style;
  const [cos, sin] = [Math.round(Math.cos((turn * Math.PI) / 180)), Math.round(Math.sin((turn * Math.PI) / 180))];
  const matrix = `${cos} ${sin} ${-sin} ${cos} ${x} ${pageHeight - y}`;
  return `BT /${font} ${size} Tf ${matrix} Tm ${encoded(text, font)} Tj ET\n`;
}

/** Lines under each other. */
export function linesAt(texts: readonly string[], x: number, y: number, style: TextStyle & { leading?: number } = {}) {
  const leading = style.leading ?? (style.size ?? 10) * 1.2;
  return texts.map((text, index) => textAt(text, x, y + index * leading, style)).join('');
}

/** A straight line. */
export function ruleAt(x1: number, y1: number, x2: number, y2: number): string {
  return `0.6 w ${x1} ${pageHeight - y1} m ${x2} ${pageHeight - y2} l S\n`;
}

/** The lines of a table between these columns and rows. */
export function gridAt(xs: readonly number[], ys: readonly number[]): string {
  const [left, right, top, bottom] = [xs[0], xs.at(-1), ys[0], ys.at(-1)] as [number, number, number, number];
  return [...xs.map((x) => ruleAt(x, top, x, bottom)), ...ys.map((y) => ruleAt(left, y, right, y))].join('');
}

const cid = '<< /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >>';
const japanese = (encoding: string) =>
  `<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiMin-W3 /Encoding /${encoding} /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiMin-W3 /CIDSystemInfo ${cid} /DW 1000 /FontDescriptor << /Type /FontDescriptor /FontName /HeiseiMin-W3 /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 859 /Descent -140 /CapHeight 700 /StemV 80 >> >>] >>`;
const standard = (name: string) => `<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`;

const hex = (text: string) => Buffer.from(text, 'utf16le').swap16().toString('hex');

function toUnicode(): string {
  const pairs = mappedCodes.map((text, index) => `<${(firstMappedCode + index).toString(16)}> <${hex(text)}>`);
  const map = `/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n1 begincodespacerange <00> <ff> endcodespacerange\n${pairs.length} beginbfchar\n${pairs.join('\n')}\nendbfchar\nendcmap end end`;
  return `<< /Length ${map.length} >>\nstream\n${map}\nendstream`;
}

/** A PDF of these pages. */
export function pdfOf(pages: readonly (SamplePage | string)[], options: SampleOptions = {}): Buffer {
  const objects: string[] = [];
  const add = (object: string) => objects.push(object);
  const later = () => add('');
  const [catalog, tree] = [later(), later()];
  const map = add(toUnicode());
  const fonts: Record<SampleFont, string> = {
    regular: standard('Helvetica'),
    bold: standard('Helvetica-Bold'),
    mono: standard('Courier'),
    mincho: japanese('UniJIS-UTF16-H'),
    tategaki: japanese('UniJIS-UTF16-V'),
    mapped: `<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode ${map} 0 R >>`,
    unmapped:
      '<< /Type /Font /Subtype /Type0 /BaseFont /Nameless /Encoding /Identity-H /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Nameless /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 500 >>] >>',
  };
  const resources = `<< /Font << ${Object.entries(fonts)
    .map(([name, font]) => `/${name} ${add(font)} 0 R`)
    .join(' ')} >> >>`;
  const widgets = new Map<number, number[]>();
  const fields = (options.fields ?? []).map(({ page, name, value, kind = 'text', tooltip }, index) => {
    const rect = `/Rect [72 ${700 - index * 20} 272 ${716 - index * 20}]`;
    const hint = tooltip === undefined ? '' : `/TU (${tooltip})`;
    const own =
      kind === 'text'
        ? `/FT /Tx /V (${value})`
        : `/FT /Btn /V /${value} /AS /${value} /AP << /N << /${value} null >> >>`;
    const widget = add(`<< /Type /Annot /Subtype /Widget /T (${name}) ${hint} ${own} ${rect} /F 4 >>`);
    widgets.set(page, [...(widgets.get(page) ?? []), widget]);
    return widget;
  });
  const kids = pages.map((page, index) => {
    const { content, rotate = 0 } = typeof page === 'string' ? { content: page } : page;
    const stream = add(`<< /Length ${Buffer.byteLength(content, 'latin1')} >>\nstream\n${content}\nendstream`);
    const annotations = (widgets.get(index + 1) ?? []).map((widget) => `${widget} 0 R`).join(' ');
    return add(
      `<< /Type /Page /Parent ${tree} 0 R /MediaBox [0 0 ${pageWidth} ${pageHeight}] /Rotate ${rotate} /Resources ${resources} /Contents ${stream} 0 R /Annots [${annotations}] >>`,
    );
  });
  objects[tree - 1] = `<< /Type /Pages /Count ${kids.length} /Kids [${kids.map((kid) => `${kid} 0 R`).join(' ')}] >>`;
  const form = fields.length > 0 ? `/AcroForm << /Fields [${fields.map((field) => `${field} 0 R`).join(' ')}] >>` : '';
  const outlines = options.bookmarks ? `/Outlines ${addOutline(options.bookmarks, objects)} 0 R` : '';
  objects[catalog - 1] = `<< /Type /Catalog /Pages ${tree} 0 R ${form} ${outlines} >>`;
  return pdfOfObjects(objects);
}

function addOutline(bookmarks: NonNullable<SampleOptions['bookmarks']>, objects: string[]): number {
  const root = objects.push('');
  const addItems = (items: NonNullable<SampleOptions['bookmarks']>, parent: number): string => {
    const numbers = items.map(() => objects.push(''));
    items.forEach(({ title, children = [] }, index) => {
      const neighbours = `${index > 0 ? `/Prev ${numbers[index - 1]} 0 R` : ''} ${index + 1 < numbers.length ? `/Next ${numbers[index + 1]} 0 R` : ''}`;
      const own = numbers[index] as number;
      const below =
        children.length > 0
          ? addItems(
              children.map((child) => ({ title: child })),
              own,
            )
          : '';
      objects[own - 1] = `<< /Title (${title}) /Parent ${parent} 0 R ${neighbours} ${below} >>`;
    });
    return `/First ${numbers[0]} 0 R /Last ${numbers.at(-1)} 0 R /Count ${numbers.length}`;
  };
  objects[root - 1] = `<< /Type /Outlines ${addItems(bookmarks, root)} >>`;
  return root;
}
