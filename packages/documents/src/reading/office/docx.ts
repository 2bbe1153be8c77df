import { AquiferError, type Reader, throwIfAborted } from '@aquifer/contracts';
import { appendMarkup } from '../markup/append-markup.js';
import { attribute, type MarkupElement, parseMarkup } from '../markup/parse-markup.js';
import { isDocx } from '../signatures.js';
import { createTextBuilder } from '../text-builder.js';
import { packZip, type ZipParts } from '../zip-archive.js';
import { withNumbers } from './docx-numbering.js';
import { decodeXml, isEncryptedOffice, officeProperties, partText, unpackOffice } from './office-file.js';

/** A table of contents repeats the headings with page numbers of the paper. Nine levels, in English and Japanese Word. */
const tableOfContents = Array.from({ length: 9 }, (_, index) => [
  `p[style-name='toc ${index + 1}'] => !`,
  `p[style-name='目次 ${index + 1}'] => !`,
]).flat();

/** Reads Word documents: headings by their styles in any language, lists, tables, notes, text boxes. */
export const docxReader: Reader = {
  id: 'docx',
  mediaTypes: ['application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  extensions: ['.docx', '.docm', '.dotx'],
  recognises: (bytes) => isDocx(bytes) || isEncryptedOffice(bytes),
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    const parts = unpackOffice(bytes, name, 'a Word document', '.docx');
    const { default: mammoth } = await import('mammoth');
    const headingStyles = findHeadingStyles(partText(parts, 'word/styles.xml'));
    let markup: string;
    try {
      const result = await mammoth.convertToHtml(
        { buffer: packZip(withPlainRuns(parts, name)) },
        {
          styleMap: [
            ...tableOfContents,
            ...headingStyles.map(({ style, level }) => `p[style-name=${quote(style)}] => h${level}:fresh`),
          ],
          includeEmbeddedStyleMap: false,
          externalFileAccess: false,
          // Only the description of an image is read.
          convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
        },
      );
      markup = result.value;
    } catch (error) {
      throw new AquiferError(
        'invalid-document',
        `${name} is damaged and cannot be read as a Word document. Open it in Word and save it again.`,
        { cause: error },
      );
    }
    throwIfAborted(signal);

    const document = parseMarkup(markup);
    const builder = createTextBuilder();
    // Numbers stand in the text already: those of the library begin anew after every paragraph between.
    appendMarkup(builder, document, { skip: isReturnLink, numbersLists: false, signal });
    const content = builder.finish();
    const { title, metadata } = officeProperties(parts);
    const [first] = content.blocks;
    const heading = first?.kind === 'heading' && first.level === 1 ? content.text.slice(first.start, first.end) : '';
    return { ...content, ...((title || heading) && { title: title || heading }), metadata, omissions: [] };
  },
};

/**
 * The parts, with the base text of phonetic guides, the text of formulas and the numbers of lists and headings as ordinary runs.
 * Mammoth leaves all of them out, and with the guides (furigana) the very words that they stand over.
 */
function withPlainRuns(parts: ZipParts, name: string): ZipParts {
  const changed = new Map(parts);
  for (const [path, part] of parts) {
    if (!/^word\/(?:document\d*|footnotes|endnotes)\.xml$/.test(path)) continue;
    const source = new TextDecoder().decode(part);
    const xml = path.includes('document') ? withNumbers(source, parts, name) : source;
    if (xml !== source) changed.set(path, new TextEncoder().encode(xml));
    if (!xml.includes('<w:ruby>') && !xml.includes('<m:oMath')) continue;
    const plain = xml
      .replace(/<w:rt>(?:(?!<w:rt>)[\s\S])*?<\/w:rt>/g, '')
      .replace(/<\/?w:(?:ruby|rubyBase)>/g, '')
      .replace(/<m:(r|t)(?=[\s>])/g, '<w:$1')
      .replace(/<\/m:(r|t)>/g, '</w:$1>')
      .replace(/<\/?m:[^<>]*>/g, '');
    changed.set(path, new TextEncoder().encode(plain));
  }
  return changed;
}

/** The arrow that leads from a footnote back to the text. */
function isReturnLink(element: MarkupElement): boolean {
  return element.tagName === 'a' && /^#(?:foot|end)note-ref-/.test(attribute(element, 'href') ?? '');
}

interface HeadingStyle {
  readonly style: string;
  readonly level: number;
}

/** Names that mean a heading even where the style has no outline level, as other programs than Word write them. */
const headingName =
  /^(?:heading|見出し|标题|標題|제목|überschrift|titre|título|titolo|kop|rubrik|overskrift)\s*([1-6])$/i;
const titleName = /^(?:title|表題|标题|標題|제목)$/i;

/**
 * Which paragraph styles are headings: by outline level, their own or of the style that they are based on (ECMA-376
 * part 1, 17.3.1.20 and 17.7.4.3), so that the styles of a company's own template count, else by name.
 */
function findHeadingStyles(xml: string): HeadingStyle[] {
  const styles = new Map<string, { name: string; basedOn: string | undefined; level: number | undefined }>();
  for (const source of xml.split(/(?=<w:style\s)/)) {
    if (!/^<w:style\s[^<>]*w:type="paragraph"/.test(source)) continue;
    const id = /w:styleId="([^"]*)"/.exec(source)?.[1];
    const name = /<w:name\s+w:val="([^"]*)"/.exec(source)?.[1];
    if (id === undefined || name === undefined) continue;
    const outline = /<w:outlineLvl\s+w:val="(\d)"/.exec(source)?.[1];
    styles.set(id, {
      name: decodeXml(name),
      basedOn: /<w:basedOn\s+w:val="([^"]*)"/.exec(source)?.[1],
      level: outline === undefined ? undefined : Number(outline) + 1,
    });
  }
  const found: HeadingStyle[] = [];
  for (const style of styles.values()) {
    const { name } = style;
    const byName = headingName.exec(name)?.[1] ?? (titleName.test(name) ? '1' : undefined);
    let level = byName === undefined ? undefined : Number(byName);
    let ancestor: typeof style | undefined = style;
    for (let depth = 0; level === undefined && ancestor && depth < 20; depth++) {
      level = ancestor.level;
      ancestor = ancestor.basedOn === undefined ? undefined : styles.get(ancestor.basedOn);
    }
    // Level 10 is body text.
    if (level !== undefined && level <= 9) found.push({ style: name, level: Math.min(level, 6) });
  }
  return found;
}

/** A string of mammoth's style map. Names with control characters are no one's. */
function quote(name: string): string {
  return `'${name.replace(/[\\']/g, '\\$&').replace(/[\r\n\t]/g, ' ')}'`;
}
