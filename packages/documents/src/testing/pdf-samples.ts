import { deflateSync } from 'node:zlib';

/** A stream of a PDF: a dictionary without its delimiters, and the bytes. */
export interface PdfStream {
  readonly dictionary: string;
  readonly data: Uint8Array;
}

/** A PDF of these objects, numbered from 1; the first is the catalogue. */
export function pdfOfObjects(objects: readonly (string | PdfStream)[]): Buffer {
  const pieces: Buffer[] = [Buffer.from('%PDF-1.7\n')];
  const offsets: number[] = [];
  let length = pieces[0]!.length;
  const add = (piece: Buffer) => {
    pieces.push(piece);
    length += piece.length;
  };
  for (const [index, object] of objects.entries()) {
    offsets.push(length);
    const body =
      typeof object === 'string'
        ? Buffer.from(object, 'latin1')
        : Buffer.concat([
            Buffer.from(`<< ${object.dictionary} /Length ${object.data.length} >>\nstream\n`, 'latin1'),
            object.data,
            Buffer.from('\nendstream'),
          ]);
    add(Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), body, Buffer.from('\nendobj\n')]));
  }
  const start = length;
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  add(
    Buffer.from(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(pieces);
}

/** A picture on a page: 8-bit grey levels, or RGB. */
export interface PdfPicture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
}

/** A PDF whose pages each hold a picture over the whole page (A4) and, where given, a line of text. `rotate` turns every page. */
export function pdfOfPictures(
  pages: readonly { readonly picture?: PdfPicture; readonly text?: string }[],
  { rotate = 0 }: { readonly rotate?: number } = {},
): Buffer {
  const objects: (string | PdfStream)[] = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, index) => `${4 + index * 3} 0 R`).join(' ')}] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
  ];
  for (const [index, { picture, text }] of pages.entries()) {
    const first = 4 + index * 3;
    const content = [
      picture ? 'q 595 0 0 842 0 0 cm /Im Do Q' : '',
      text === undefined ? '' : `BT /F 12 Tf 72 700 Td (${text}) Tj ET`,
    ].join('\n');
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Rotate ${rotate} /Resources << /Font << /F 3 0 R >> /XObject << /Im ${first + 2} 0 R >> >> /Contents ${first + 1} 0 R >>`,
      { dictionary: '', data: Buffer.from(content) },
      {
        dictionary: `/Type /XObject /Subtype /Image /Width ${picture?.width ?? 1} /Height ${picture?.height ?? 1} /BitsPerComponent 8 /ColorSpace /Device${picture?.channels === 3 ? 'RGB' : 'Gray'} /Filter /FlateDecode`,
        data: deflateSync(picture?.pixels ?? Buffer.alloc(1)),
      },
    );
  }
  return pdfOfObjects(objects);
}
