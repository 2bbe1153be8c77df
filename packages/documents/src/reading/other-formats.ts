/** Formats that people have and that cannot be read here: what they are, by extension, and how to make them readable. */
const others: readonly (readonly [extensions: string, what: string, advice: string])[] = [
  ['.pages', 'a document of Apple Pages', 'Export it as .docx or PDF from Pages.'],
  ['.numbers', 'a spreadsheet of Apple Numbers', 'Export it as .xlsx from Numbers.'],
  ['.key', 'a presentation of Apple Keynote', 'Export it as .pptx or PDF from Keynote.'],
  ['.wpd .wp5', 'a document of WordPerfect', 'Convert it: soffice --convert-to docx'],
  ['.wps .wri', 'a document of Microsoft Works or Write', 'Convert it: soffice --convert-to docx'],
  ['.sxw .sdw', 'a document of an old StarOffice', 'Convert it: soffice --convert-to odt'],
  ['.sxc .sdc', 'a spreadsheet of an old StarOffice', 'Convert it: soffice --convert-to ods'],
  ['.sxi .sdd', 'a presentation of an old StarOffice', 'Convert it: soffice --convert-to odp'],
  ['.hwp .hwpx', 'a document of Hangul', 'Export it as .docx or PDF from Hangul.'],
  ['.jtd', 'a document of Ichitaro', 'Save it as .docx or PDF from Ichitaro.'],
  ['.one', 'a notebook of OneNote', 'Export its pages as .docx or PDF from OneNote.'],
  ['.pub', 'a publication of Publisher', 'Export it as PDF from Publisher.'],
  ['.vsd .vsdx', 'a drawing of Visio', 'Export it as PDF from Visio.'],
  ['.mdb .accdb', 'a database of Access', 'Export its tables as .xlsx or .csv from Access.'],
  ['.xlsb', 'a binary workbook of Excel', 'Save it as .xlsx: soffice --convert-to xlsx'],
  ['.mobi .azw .azw3', 'a book for Kindle', 'Convert it to .epub, for example with Calibre: ebook-convert'],
  ['.djvu .djv', 'a DjVu document', 'Convert it to PDF: ddjvu -format=pdf'],
  ['.ps .eps', 'a PostScript document', 'Convert it to PDF: ps2pdf'],
  ['.chm', 'a help file', 'Unpack it to HTML: 7z x'],
  ['.msg', 'a message of Outlook', 'Save it as .eml.'],
];

/** What a file of this name is and what to do with it, for a message. Undefined for names that say nothing. */
export function describeOtherFormat(name: string): string | undefined {
  const extension = /\.[^./\\]+$/.exec(name.toLowerCase())?.[0];
  const found = others.find(([extensions]) => extension !== undefined && extensions.split(' ').includes(extension));
  if (!found) return undefined;
  const [, what, advice] = found;
  return `${name} is ${what}, for which there is no reader. ${advice}${advice.endsWith('.') ? '' : ` ${JSON.stringify(name)}`}`;
}
