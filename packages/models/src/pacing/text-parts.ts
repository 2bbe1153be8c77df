import { graphemeCut, splitSentences } from '@aquifer/text-analysis';

/**
 * Cuts a text in two near its middle: between sentences, else between words, else between characters as people see them. Nothing is lost:
 * the two put together are the text. Undefined where there is nothing to cut.
 */
export function halveText(text: string): readonly [string, string] | undefined {
  const cut = cutNearMiddle(text);
  return cut <= 0 || cut >= text.length ? undefined : [text.slice(0, cut), text.slice(cut)];
}

/** The whole text where it fits, else its parts, each of which fits or cannot be cut. In order. */
export function partsThatFit(text: string, fits: (part: string) => boolean): string[] {
  if (fits(text)) return [text];
  const halves = halveText(text);
  return halves === undefined ? [text] : halves.flatMap((half) => partsThatFit(half, fits));
}

function cutNearMiddle(text: string): number {
  const middle = text.length / 2;
  // Far from the middle, a cut between sentences leaves almost as much to cut again as there was.
  const isNear = (cut: number): boolean => cut > text.length / 4 && cut < (text.length * 3) / 4;
  const ends = splitSentences(text).map(({ end }) => end);
  const words = [...text.matchAll(/\s+/g)].map((space) => space.index + space[0].length);
  for (const cuts of [ends, words]) {
    const near = cuts.filter(isNear);
    if (near.length > 0) {
      return near.reduce((best, cut) => (Math.abs(cut - middle) < Math.abs(best - middle) ? cut : best));
    }
  }
  return graphemeCut(text, Math.floor(middle)) || graphemeCut(text, Math.ceil(middle));
}
