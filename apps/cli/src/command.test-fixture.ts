import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What npm calls `aquifer`. */
export const program = fileURLToPath(new URL('../bin/aquifer.js', import.meta.url));

/** How a command ended, and all it said. */
export interface CommandOutcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** `aquifer` as a process of its own in a folder, which can be killed while it runs. */
export function startCommand(folder: string, ...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [program, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** To be called at once: what was said before is missed. */
export async function outcomeOf(child: ChildProcess): Promise<CommandOutcome> {
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const [status, signal] = await once(child, 'close');
  return { status, signal, out, err };
}
