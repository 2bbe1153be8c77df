/** The value of a JSON text, or where it stops being one. */
export type ParsedJson =
  | { readonly value: unknown }
  | { readonly line: number; readonly column: number; readonly problem: string };

/**
 * Parses JSON (RFC 8259), and JSON as people write it into configuration files: with comments and with commas before a closing
 * bracket.
 */
export function parseJson(text: string): ParsedJson {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const parsed =
    parseStrictJson(source) ?? (mayHaveComments.test(source) ? parseStrictJson(withoutComments(source)) : undefined);
  return parsed ?? findProblem(source);
}

const mayHaveComments = /\/[/*]|,\s*[}\]]/;

/** The value of a JSON text without comments, with every number as it is written; undefined for what is no JSON. */
export function parseStrictJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(withNumbersAsWritten(text)) };
  } catch {
    return undefined;
  }
}

/** Where it is no name of a member, which in JSON is never a number. */
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\d.eE]|\s*:)/y;

/**
 * A JSON text in which those numbers are strings that would not come back as they were written: an account number of 19 digits is not rounded,
 * a price keeps its last zero. What is no JSON does not become JSON.
 */
function withNumbersAsWritten(text: string): string {
  const done: string[] = [];
  let parts: string[] = [];
  let taken = 0;
  // By hand, because every number of every file comes by: a regular expression takes as long as parsing.
  for (let at = 0; at < text.length; at++) {
    const first = text.charCodeAt(at);
    if (first === quote) {
      at = endOfString(text, at);
      continue;
    }
    if (first !== minus && !isDigit(first)) continue;
    const start = at;
    let last = first;
    let hasPoint = false;
    let hasExponent = false;
    for (at++; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === point) hasPoint = true;
      else if (code === 0x65 || code === 0x45) hasExponent = true;
      else if (!isDigit(code)) break;
      last = code;
    }
    // Other numbers have at most 15 digits, which doubles hold, and are written as JavaScript writes them.
    const mayChange =
      hasExponent ||
      at - start > 15 ||
      (hasPoint && last === zero) ||
      (first === zero && at - start > 8) ||
      (first === minus && text.charCodeAt(start + 1) === zero);
    at--;
    if (!mayChange) continue;
    number.lastIndex = start;
    if (!number.test(text)) continue;
    const token = text.slice(start, number.lastIndex);
    at = number.lastIndex - 1;
    if (String(Number(token)) === token) continue;
    // Millions of parts would take more than the text.
    if (parts.length >= 8192) {
      done.push(parts.join(''));
      parts = [];
    }
    parts.push(text.slice(taken, start), `"${token}"`);
    taken = at + 1;
  }
  if (taken === 0) return text;
  parts.push(text.slice(taken));
  done.push(parts.join(''));
  return done.join('');
}

const quote = 0x22;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;

function isDigit(code: number): boolean {
  return code >= zero && code <= 0x39;
}

/** Where the quotation mark is that ends a string. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at;
    while (text.charCodeAt(before - 1) === 0x5c) before--;
    if ((at - before) % 2 === 0) return at;
  }
  return text.length;
}

function withoutComments(text: string): string {
  return text
    .replace(/"[^"\\\n]*(?:\\.[^"\\\n]*)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (match) => (match[0] === '"' ? match : ' '))
    .replace(/"[^"\\\n]*(?:\\.[^"\\\n]*)*"|,(?=\s*[}\]])/g, (match) => (match === ',' ? '' : match));
}

const token =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 forbids them in strings
  /[ \t\r\n]*(?:([{}[\],:])|("[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y;

/** Runtimes word their messages differently, and the newer ones leave the place out. */
function findProblem(text: string): ParsedJson {
  const open: string[] = [];
  /** What may stand next: a value, a key, `:`, or a comma or closing bracket. */
  let next: 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'comma' = 'value';
  let position = 0;
  for (;;) {
    token.lastIndex = position;
    const match = token.exec(text);
    if (!match) break;
    const [whole, mark, string] = match;
    const at = position + whole.length - (mark ?? string ?? match[3]!).length;
    const closes = mark === '}' || mark === ']';
    if (closes) {
      const fits = mark === '}' ? next === 'first key' || next === 'comma' : next === 'first value' || next === 'comma';
      if (!fits || open.pop() !== mark) return problemAt(text, at, `${mark} does not belong here`);
      next = 'comma';
    } else if (next === 'comma') {
      if (open.length === 0) return problemAt(text, at, 'there is more after the value');
      if (mark !== ',') return problemAt(text, at, 'a comma or a closing bracket is missing');
      next = open.at(-1) === '}' ? 'key' : 'value';
    } else if (next === 'colon') {
      if (mark !== ':') return problemAt(text, at, 'a colon is missing');
      next = 'value';
    } else if (next === 'key' || next === 'first key') {
      if (string === undefined) return problemAt(text, at, 'a name in double quotation marks is missing');
      next = 'colon';
    } else if (mark === '{') {
      open.push('}');
      next = 'first key';
    } else if (mark === '[') {
      open.push(']');
      next = 'first value';
    } else {
      if (mark !== undefined) return problemAt(text, at, 'a value is missing');
      next = 'comma';
    }
    position += whole.length;
  }
  const rest = /[ \t\r\n]*/y;
  rest.lastIndex = position;
  rest.exec(text);
  if (rest.lastIndex >= text.length) return problemAt(text, text.length, 'it ends too early');
  return problemAt(
    text,
    rest.lastIndex,
    `${JSON.stringify(Array.from(text.slice(rest.lastIndex, rest.lastIndex + 2))[0])} is not JSON`,
  );
}

function problemAt(text: string, position: number, problem: string): ParsedJson {
  const before = text.slice(0, position);
  const line = (before.match(/\n/g)?.length ?? 0) + 1;
  return { line, column: position - before.lastIndexOf('\n'), problem };
}
