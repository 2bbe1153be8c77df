import { packZip } from '../reading/zip-archive.js';

const documents = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const packages = 'http://schemas.openxmlformats.org/package/2006';
const word = 'application/vnd.openxmlformats-officedocument.wordprocessingml';

/** A ZIP file of text parts. */
export function zipOf(parts: Readonly<Record<string, string>>): Buffer {
  return packZip(new Map(Object.entries(parts).map(([path, text]) => [path, new TextEncoder().encode(text)])));
}

/** A Word document of the given body, with parts added or replaced. */
export function docxOf(body: string, parts: Readonly<Record<string, string>> = {}): Buffer {
  const namespaces =
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"';
  const related = ['styles', 'numbering', 'footnotes'];
  return zipOf({
    '[Content_Types].xml': `<Types xmlns="${packages}/content-types"><Override PartName="/word/document.xml" ContentType="${word}.document.main+xml"/></Types>`,
    '_rels/.rels': `<Relationships xmlns="${packages}/relationships"><Relationship Id="r1" Type="${documents}/officeDocument" Target="word/document.xml"/></Relationships>`,
    'word/_rels/document.xml.rels': `<Relationships xmlns="${packages}/relationships">${related
      .filter((name) => `word/${name}.xml` in parts)
      .map((name) => `<Relationship Id="${name}" Type="${documents}/${name}" Target="${name}.xml"/>`)
      .join('')}</Relationships>`,
    'word/document.xml': `<w:document ${namespaces}><w:body>${body}</w:body></w:document>`,
    ...Object.fromEntries(
      Object.entries(parts).map(([path, text]) => [path, text.replace(/^<w:\w+/, (tag) => `${tag} ${namespaces}`)]),
    ),
  });
}

/** An Excel workbook with the given `<sheetData>` of each sheet by name, or a whole `<worksheet>`. */
export function xlsxOf(sheets: Readonly<Record<string, string>>, parts: Readonly<Record<string, string>> = {}): Buffer {
  const entries = Object.entries(sheets);
  return zipOf({
    'xl/workbook.xml': `<workbook xmlns:r="${documents}"><sheets>${entries
      .map(([name], index) => `<sheet name="${name}" sheetId="${index + 1}" r:id="s${index}"/>`)
      .join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships xmlns="${packages}/relationships">${entries
      .map(
        (_, index) =>
          `<Relationship Id="s${index}" Type="${documents}/worksheet" Target="worksheets/sheet${index}.xml"/>`,
      )
      .join('')}</Relationships>`,
    ...Object.fromEntries(
      entries.map(([, data], index) => [
        `xl/worksheets/sheet${index}.xml`,
        data.startsWith('<worksheet') ? data : `<worksheet><sheetData>${data}</sheetData></worksheet>`,
      ]),
    ),
    ...parts,
  });
}

/** The beginning of a file of an old Office version, or of one saved with a password. */
export function oleOf(streamName: string): Buffer {
  return Buffer.concat([
    Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]),
    Buffer.alloc(504),
    Buffer.from(streamName, 'utf16le'),
    Buffer.alloc(512),
  ]);
}
