import { childOf, childrenOf, descendantsOf, type XmlElement, xmlAttribute, xmlText } from '../parse-xml.js';
import type { Table } from '../table-rows.js';

/** Points of one series that are read. */
const maxPoints = 10_000;
const maxSeries = 255;

/**
 * The numbers that a chart shows, as a table: a row for each category, a column for each series (ECMA-376 part 1, 21.2).
 * Charts keep a copy of their numbers, so the workbook behind them is not needed.
 */
export function chartTable(chart: XmlElement): Table {
  const [title] = descendantsOf(chart, 'title');
  const caption = [...descendantsOf(childOf(title, 'tx'), 't')].map(xmlText).join('').trim();
  const series = [...descendantsOf(chart, 'ser')].slice(0, maxSeries).map((element) => ({
    name: pointsOf(childOf(element, 'tx')).join(' ') || xmlText(childOf(childOf(element, 'tx'), 'v')),
    categories: pointsOf(childOf(element, 'cat') ?? childOf(element, 'xVal')),
    values: pointsOf(childOf(element, 'val') ?? childOf(element, 'yVal')),
  }));
  const categories = series.find((one) => one.categories.length > 0)?.categories ?? [];
  const length = series.reduce((most, one) => Math.max(most, one.values.length), categories.length);
  const rows = Array.from({ length }, (_, index) => [
    categories[index] ?? '',
    ...series.map(({ values }) => values[index] ?? ''),
  ]);
  const names = series.map(({ name }) => name);
  const isNamed = names.some((name) => name.trim() !== '');
  return {
    rows: isNamed ? [['', ...names], ...rows] : rows,
    headerRow: isNamed ? 0 : 'none',
    ...(caption && { caption }),
  };
}

/** The cached values of a reference, or the literal ones. Of categories over several levels, the innermost. */
function pointsOf(data: XmlElement | undefined): string[] {
  const points: string[] = [];
  const reference = childOf(data);
  const cache = reference && (childrenOf(reference).find(({ name }) => name.endsWith('Cache')) ?? reference);
  for (const point of childrenOf(childOf(cache, 'lvl') ?? cache, 'pt')) {
    const index = Number(xmlAttribute(point, 'idx'));
    if (Number.isInteger(index) && index >= 0 && index < maxPoints) points[index] = tidy(xmlText(childOf(point, 'v')));
  }
  return Array.from(points, (value) => value ?? '');
}

/** Without the artefacts of binary fractions, as cells of a sheet are shown. */
function tidy(value: string): string {
  return /^-?\d+\.\d{12,}(?:E[-+]?\d+)?$/i.test(value) ? String(Number(Number(value).toPrecision(15))) : value;
}
