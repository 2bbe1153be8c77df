import type { PdfAnnotation, PdfDocument } from './open.js';

/** The filled-in fields of forms (AcroForm; ISO 32000-1, 12.7), as `name: value`, by page (counted from 1). */
export async function formFields(document: PdfDocument): Promise<ReadonlyMap<number, readonly string[]>> {
  const found = new Map<number, string[]>();
  const objects = await document.getFieldObjects();
  if (!objects) return found;
  const pages = new Set(Object.values(objects).flatMap((fields) => fields.map(({ page }) => page)));
  for (const page of [...pages].filter((page) => page >= 0 && page < document.numPages).sort((a, b) => a - b)) {
    const annotations = await (await document.getPage(page + 1)).getAnnotations();
    const lines = annotations
      .filter(({ subtype }) => subtype === 'Widget')
      .sort((a, b) => (b.rect[3] ?? 0) - (a.rect[3] ?? 0) || (a.rect[0] ?? 0) - (b.rect[0] ?? 0))
      .flatMap(lineOf);
    if (lines.length > 0) found.set(page + 1, [...new Set(lines)]);
  }
  return found;
}

function lineOf(annotation: PdfAnnotation): string[] {
  const value = shownValue(annotation);
  if (value === undefined || value === '') return [];
  // What a person is told about the field, else the last part of its name: `form[0].page[0].city[0]`.
  const name =
    annotation.alternativeText?.trim() ||
    (annotation.fieldName ?? '')
      .split('.')
      .at(-1)
      ?.replace(/\[\d+\]$/, '')
      .replace(/_/g, ' ')
      .trim();
  return [name ? `${name.replace(/:$/, '')}: ${value}` : value];
}

function shownValue(annotation: PdfAnnotation): string | undefined {
  const { fieldType, fieldValue, checkBox, radioButton, pushButton, password, options = [] } = annotation;
  if (pushButton || password || fieldType === 'Sig') return undefined;
  if (checkBox || radioButton) {
    const on = radioButton ? annotation.buttonValue : annotation.exportValue;
    if (typeof fieldValue !== 'string' || fieldValue === 'Off' || fieldValue !== on) return undefined;
    return checkBox && /^(?:on|\d+)$/i.test(fieldValue) ? 'yes' : fieldValue;
  }
  const shown = (chosen: unknown) =>
    options.find(({ exportValue }) => exportValue === chosen)?.displayValue ??
    (typeof chosen === 'string' ? chosen : '');
  const values = Array.isArray(fieldValue) ? fieldValue : [fieldValue];
  return values
    .map((one) => shown(one).replace(/\s+/g, ' ').trim())
    .filter((one) => one !== '')
    .join(', ');
}
