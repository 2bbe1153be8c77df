import { createLineWrapper } from '../terminal/line-wrapper.js';
import { plainLine, plainName, type Terminal } from '../terminal/terminal.js';

const indent = '    ';
/** Of private use: one in a name would show as a space, and that is all. */
const heldSpace = '\ue000';

/**
 * A document that failed and its whole reason, which says what to do: on a terminal over as many lines as it takes,
 * further ones indented.
 */
export function failureLines(terminal: Terminal, mark: string, source: string, reason: string): string[] {
  const name = plainName(source);
  if (!terminal.isInteractive) return [`  ${mark} ${name}   ${plainLine(reason)}`];
  let wrapped = '';
  const wrapper = createLineWrapper((piece) => (wrapped += piece), terminal.columns - indent.length);
  // Spaces of the name are no places to break at, and stay as many as they are.
  wrapper.write(`${name.replaceAll(' ', heldSpace)}${heldSpace.repeat(2)} ${plainLine(reason)}`);
  wrapper.end();
  const lines = wrapped.trimEnd().split('\n');
  const [first = '', ...others] = lines.map((line) => line.replaceAll(heldSpace, ' ').trimEnd());
  return [`  ${mark} ${first}`, ...others.map((line) => indent + line)];
}
