export interface LineSplitter {
  /** The lines that end within these bytes, without their ends. */
  push(bytes: Uint8Array): string[];
}

/** UTF-8 as it comes, in lines. Whole lines only: what a connection that was cut left of one is no line. */
export function createLineSplitter(): LineSplitter {
  const decoder = new TextDecoder();
  let rest = '';
  return {
    push(bytes) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop()!;
      return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
    },
  };
}
