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
  const parsed = attempt(source) ?? (mayHaveComments.test(source) ? attempt(withoutComments(source)) : undefined);
  return parsed ?? findProblem(source);
}

const mayHaveComments = /\/[/*]|,\s*[}\]]/;

function attempt(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
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
