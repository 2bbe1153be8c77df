import { zipOf } from './office-samples.js';

type Parts = Readonly<Record<string, string>>;

const documents = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const packages = 'http://schemas.openxmlformats.org/package/2006/relationships';

/** The relationships part of a part: `{ r1: ['slide', 'slides/slide1.xml'] }`. */
export function relationshipsPart(targets: Readonly<Record<string, readonly [type: string, target: string]>>): string {
  const items = Object.entries(targets).map(
    ([id, [type, target]]) => `<Relationship Id="${id}" Type="${documents}/${type}" Target="${target}"/>`,
  );
  return `<Relationships xmlns="${packages}">${items.join('')}</Relationships>`;
}

/** A PowerPoint presentation with the given shapes (`<p:sp>`, `<p:graphicFrame>`) on each slide. */
export function pptxOf(slides: readonly string[], parts: Parts = {}): Buffer {
  const paths = slides.map((_, index) => `slides/slide${index + 1}.xml`);
  return zipOf({
    '_rels/.rels': relationshipsPart({ r1: ['officeDocument', 'ppt/presentation.xml'] }),
    'ppt/presentation.xml': `<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst>${paths
      .map((_, index) => `<p:sldId id="${256 + index}" r:id="s${index}"/>`)
      .join('')}</p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels': relationshipsPart(
      Object.fromEntries(paths.map((path, index) => [`s${index}`, ['slide', path]])),
    ),
    ...Object.fromEntries(
      slides.map((shapes, index) => [
        `ppt/${paths[index]}`,
        `<p:sld xmlns:p="p" xmlns:a="a" xmlns:r="r"><p:cSld><p:spTree>${shapes}</p:spTree></p:cSld></p:sld>`,
      ]),
    ),
    ...parts,
  });
}

/** A shape with paragraphs, in a placeholder of that type where one is given. */
export function shapeOf(paragraphs: readonly string[], placeholder?: string): string {
  const place = placeholder === undefined ? '' : `<p:ph${placeholder && ` type="${placeholder}"`}/>`;
  const body = paragraphs.map((text) => (text.startsWith('<') ? text : `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`));
  return `<p:sp><p:nvSpPr><p:nvPr>${place}</p:nvPr></p:nvSpPr><p:txBody>${body.join('')}</p:txBody></p:sp>`;
}

/** An OpenDocument file with the given body: `<office:text>…`, `<office:spreadsheet>…`, `<office:presentation>…`. */
export function openDocumentOf(kind: string, body: string, parts: Parts = {}): Buffer {
  return zipOf({
    mimetype: `application/vnd.oasis.opendocument.${kind}`,
    'META-INF/manifest.xml': '<manifest:manifest xmlns:manifest="m"/>',
    'content.xml': `<office:document-content>${parts.automaticStyles ?? ''}<office:body>${body}</office:body></office:document-content>`,
    ...Object.fromEntries(Object.entries(parts).filter(([path]) => path !== 'automaticStyles')),
  });
}

/** An EPUB book of XHTML chapters by file name, in that order. `metadata` and `extra` stand in its package document. */
export function epubOf(
  chapters: Parts,
  metadata = '',
  extra: Parts & { manifest?: string; after?: string } = {},
): Buffer {
  const names = Object.keys(chapters);
  const { manifest = '', after = '', ...parts } = extra;
  return zipOf({
    mimetype: 'application/epub+zip',
    'META-INF/container.xml':
      '<container><rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
    'OEBPS/book.opf': `<package xmlns:dc="dc"><metadata>${metadata}</metadata><manifest>${names
      .map((name, index) => `<item id="c${index}" href="${encodeURI(name)}" media-type="application/xhtml+xml"/>`)
      .join('')}${manifest}</manifest><spine toc="ncx">${names
      .map((_, index) => `<itemref idref="c${index}"/>`)
      .join('')}</spine>${after}</package>`,
    ...Object.fromEntries(
      Object.entries(chapters).map(([name, body]) => [
        `OEBPS/${name}`,
        `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>${body}</body></html>`,
      ]),
    ),
    ...parts,
  });
}
