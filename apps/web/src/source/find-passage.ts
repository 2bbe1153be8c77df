/** A part of one of the texts that a page of a PDF is made of. */
export interface PassagePart {
  readonly item: number;
  readonly start: number;
  readonly end: number;
}

/** Shorter agreements are chance, where the whole is not found in one piece. */
const shortestRun = 12;
/** Of the passage's letters, at least so many must be found. */
const leastFound = 0.5;

interface Letters {
  readonly text: string;
  /** For each letter, where it comes from. */
  readonly from: readonly { readonly item: number; readonly start: number; readonly end: number }[];
}

/** Letters and digits alone: what readers of PDFs disagree about are spaces, hyphens, ligatures and widths. */
function lettersOf(items: readonly string[]): Letters {
  let text = '';
  const from: { item: number; start: number; end: number }[] = [];
  for (const [item, content] of items.entries()) {
    let at = 0;
    for (const character of content) {
      const end = at + character.length;
      for (const letter of character.normalize('NFKC').toLowerCase()) {
        if (!/[\p{L}\p{N}]/u.test(letter)) continue;
        text += letter;
        for (let unit = 0; unit < letter.length; unit++) from.push({ item, start: at, end });
      }
      at = end;
    }
  }
  return { text, from };
}

/**
 * Finds a passage of the extracted text in the texts of a page, in the order in which the PDF draws them: as one run of letters, or, where a table or columns were put
 * into another order, as the runs that agree. Nothing where less than half of it is there.
 *
 * @example
 * findPassage(['Parental lea', 've: 52 weeks'], 'leave: 52'); // [{ item: 0, start: 9, end: 12 }, { item: 1, start: 0, end: 6 }]
 */
export function findPassage(items: readonly string[], passage: string): PassagePart[] {
  const page = lettersOf(items);
  const wanted = lettersOf([passage]).text;
  if (wanted.length === 0) return [];
  const whole = page.text.indexOf(wanted);
  if (whole >= 0) return partsOf(page, [[whole, whole + wanted.length]]);

  const runs: [number, number][] = [];
  let found = 0;
  let near = 0;
  for (let at = 0; at + shortestRun <= wanted.length; ) {
    const seed = wanted.slice(at, at + shortestRun);
    // What comes next in the passage most likely comes next on the page.
    const after = page.text.indexOf(seed, near);
    const start = after >= 0 ? after : page.text.indexOf(seed);
    if (start < 0) {
      at += 1;
      continue;
    }
    let length = shortestRun;
    while (at + length < wanted.length && page.text[start + length] === wanted[at + length]) length += 1;
    runs.push([start, start + length]);
    found += length;
    near = start + length;
    at += length;
  }
  return found >= wanted.length * leastFound ? partsOf(page, runs) : [];
}

function partsOf({ from }: Letters, runs: readonly (readonly [number, number])[]): PassagePart[] {
  const parts: { item: number; start: number; end: number }[] = [];
  for (const [first, last] of [...runs].sort(([one], [other]) => one - other)) {
    for (let at = first; at < last; at++) {
      const { item, start, end } = from[at]!;
      const open = parts.at(-1);
      if (open?.item === item && at > first) open.end = Math.max(open.end, end);
      else if (open?.item === item && open.end >= start) open.end = Math.max(open.end, end);
      else parts.push({ item, start, end });
    }
  }
  return parts;
}
