/** How the items of one level of a list are marked. */
export interface ListLevel {
  readonly isNumbered: boolean;
  readonly start: number;
}

/** What the styles of a document say about structure: which paragraphs are headings, which lists count. */
export interface OpenDocumentStyles {
  /** Takes note of a style while a part is walked. */
  readonly open: (name: string, attributes: Readonly<Record<string, string>>) => void;
  /** The heading level of a paragraph style, its own or of the style that it is derived from, or by its name. */
  readonly headingLevel: (style: string | undefined) => number | undefined;
  readonly listLevel: (style: string | undefined, level: number) => ListLevel | undefined;
}

/** Names of styles that mean a heading where no outline level says so. A space is written `_20_` in names. */
const headingName = /^(?:heading|überschrift|titre|見出し)(?:_20_|\s)?([1-6])$/i;
const titleName = /^(?:title|titel|表題)$/i;

const maxAncestors = 20;

export function createOpenDocumentStyles(): OpenDocumentStyles {
  const paragraphs = new Map<string, { parent: string | undefined; level: number | undefined; display: string }>();
  const lists = new Map<string, ListLevel[]>();
  let openList: ListLevel[] | undefined;

  return {
    open(name, attributes) {
      if (name === 'style:style' && attributes['style:family'] === 'paragraph') {
        const level = Number.parseInt(attributes['style:default-outline-level'] ?? '', 10);
        paragraphs.set(attributes['style:name'] ?? '', {
          parent: attributes['style:parent-style-name'],
          level: level >= 1 ? level : undefined,
          display: attributes['style:display-name'] ?? attributes['style:name'] ?? '',
        });
      } else if (name === 'text:list-style') {
        openList = [];
        lists.set(attributes['style:name'] ?? '', openList);
      } else if (openList && /^text:list-level-style-(?:number|bullet|image)$/.test(name)) {
        const level = Number.parseInt(attributes['text:level'] ?? '', 10);
        const start = Number.parseInt(attributes['text:start-value'] ?? '1', 10);
        if (!(level >= 1 && level <= 10)) return;
        openList[level] = {
          isNumbered: name === 'text:list-level-style-number' && attributes['style:num-format'] === '1',
          start: Number.isSafeInteger(start) ? start : 1,
        };
      }
    },
    headingLevel(style) {
      let current = style;
      for (let depth = 0; current !== undefined && depth < maxAncestors; depth++) {
        const known = paragraphs.get(current);
        if (known?.level !== undefined) return Math.min(known.level, 6);
        for (const label of [current, known?.display ?? '']) {
          const byName = headingName.exec(label)?.[1] ?? (titleName.test(label) ? '1' : undefined);
          if (byName !== undefined) return Number(byName);
        }
        current = known?.parent;
      }
      return undefined;
    },
    listLevel: (style, level) => (style === undefined ? undefined : lists.get(style)?.[level]),
  };
}
