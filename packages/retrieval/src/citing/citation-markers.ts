import { abstentionMarker } from '../answering/prompt.js';

export type MarkedText =
  /** Text to show. */
  | { readonly type: 'text'; readonly text: string }
  /** The text so far rests on these passages. */
  | { readonly type: 'marker'; readonly numbers: readonly number[] }
  /** The answer is that there is none. Comes first, if at all. */
  | { readonly type: 'abstained' };

export interface CitationMarkerReader {
  /** What has become certain with this piece of the stream. */
  push(text: string): MarkedText[];
  /** What was held back. */
  end(): MarkedText[];
}

/**
 * Takes the markers `[1]`, `[1, 2]`, `[1-3]`, `[1][2]`, `［１］`, `【1】` out of streamed text, wherever the stream is cut.
 *
 * Only numbers of existing passages make a marker: `[sic]`, `[2024]` and `[0]` are text. So are brackets inside code, and brackets
 * that a passage itself has behind the same words: a quoted paper brings its own `[3]`. White space before a marker goes with it;
 * so does white space at either end of the answer.
 *
 * @param passages Texts of the passages: number n is `passages[n - 1]`.
 */
export function createCitationMarkerReader(passages: readonly string[]): CitationMarkerReader {
  const withBrackets = passages.filter((text) => /[[［【]\s*[\d０-９]/.test(text));
  let held = '';
  /** The end of what was sent, for telling quoted brackets from markers. */
  let tail = '';
  let isEmpty = true;
  let code: '' | '`' | '```' = '';
  let waiting: number[] = [];

  function read(isLast: boolean): MarkedText[] {
    const out: MarkedText[] = [];
    let text = '';
    const send = (piece: string) => {
      if (piece === '') return;
      if (waiting.length > 0) {
        if (text !== '') out.push({ type: 'text', text });
        text = '';
        out.push({ type: 'marker', numbers: waiting });
        waiting = [];
      }
      text += piece;
      isEmpty = false;
      tail = (tail + piece).slice(-tailLength);
    };
    let position = 0;
    while (position < held.length) {
      if (isEmpty && waiting.length === 0) {
        position = matchEnd(leadingSpace, held, position);
        const rest = held.slice(position, position + abstentionMarker.length).toLowerCase();
        if (rest === abstentionMarker) {
          out.push({ type: 'abstained' });
          position += abstentionMarker.length;
          continue;
        }
        if (!isLast && abstentionMarker.startsWith(rest)) break;
        if (position >= held.length) break;
      }
      if (waiting.length > 0 && (isEmpty || tail.endsWith('\n'))) {
        // A marker that opens a line leaves no space behind.
        position = matchEnd(spaces, held, position);
        if (position >= held.length) break;
      }
      const ticks = matchEnd(backticks, held, position);
      if (ticks > position) {
        if (ticks === held.length && !isLast) break;
        code = codeAfter(code, ticks - position);
        send(held.slice(position, ticks));
        position = ticks;
        continue;
      }
      if (code === '') {
        const found = markerAt(held, position, passages.length);
        if (found && !isQuoted(found.raw)) {
          waiting = [...new Set([...waiting, ...found.numbers])];
          position = found.end;
          continue;
        }
        if (!isLast && matchEnd(unfinished, held, position) === held.length) break;
        if (isLast && matchEnd(trailingSpace, held, position) === held.length) {
          position = held.length;
          break;
        }
      }
      const next = Math.max(position + 1, plainEnd(held, position, code));
      if (code === '`' && held[position] === '\n') code = '';
      send(held.slice(position, next));
      position = next;
    }
    held = isLast ? '' : held.slice(position);
    if (text !== '') out.push({ type: 'text', text });
    if (isLast && waiting.length > 0) out.push({ type: 'marker', numbers: waiting });
    return out;
  }

  function isQuoted(raw: string): boolean {
    const context = tail.trim().length >= 3 ? tail + raw : '';
    return context !== '' && withBrackets.some((passage) => passage.includes(context));
  }

  return {
    push(piece) {
      held += piece;
      return read(false);
    },
    end: () => read(true),
  };
}

const tailLength = 12;
const leadingSpace = /\s*/y;
const spaces = /[ \t\u3000]*/y;
const trailingSpace = /\s*/y;
const backticks = /`*/y;
const marker =
  /[ \t\u3000]*(?:\[|［|【)\s*([\d０-９]{1,4}(?:\s*[,、，;；–—〜~-]\s*[\d０-９]{1,4}){0,15})\s*(?:\]|］|】)/y;
/** What may still become a marker, or vanish as white space before one or at the end. */
const unfinished = /\s*(?:(?:\[|［|【)[\s\d０-９,、，;；–—〜~-]{0,120})?/y;

function matchEnd(pattern: RegExp, text: string, position: number): number {
  pattern.lastIndex = position;
  return pattern.test(text) ? pattern.lastIndex : position;
}

/** The end of the run from `position` in which nothing special can begin. */
function plainEnd(text: string, position: number, code: string): number {
  if (text[position] === '\n') return position + 1;
  const special = code === '' ? /[\s[［【`]/g : /[\n`]/g;
  special.lastIndex = position + 1;
  return special.exec(text)?.index ?? text.length;
}

/** A fence of three closes with three; a single backtick closes with the next or, being a slip, at the end of the line. */
function codeAfter(code: '' | '`' | '```', ticks: number): '' | '`' | '```' {
  if (code === '') return ticks >= 3 ? '```' : ticks === 1 ? '`' : '';
  if (code === '```') return ticks >= 3 ? '' : code;
  return '';
}

function markerAt(text: string, position: number, passages: number) {
  marker.lastIndex = position;
  const match = marker.exec(text);
  if (!match) return undefined;
  const numbers: number[] = [];
  for (const part of match[1]!.normalize('NFKC').split(/\s*[,、;]\s*/)) {
    const [first, last = first] = part.split(/\s*[-–—〜~]\s*/).map(Number) as [number, number?];
    if (first < 1 || last < first || last > passages) return undefined;
    for (let number = first; number <= last; number++) numbers.push(number);
  }
  return { numbers, end: marker.lastIndex, raw: match[0] };
}
