import { AquiferError, isAquiferError } from 'aquifer';
import { CommanderError } from 'commander';
import type { Context, ExitCode } from './context.js';
import { createProgram } from './program.js';
import { createTerminal, plainLine } from './terminal/terminal.js';

const interrupted = new AbortController();
// Ctrl-C, `kill`, and the terminal that was closed.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second one does not wait: the index is consistent at every moment.
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort(new AquiferError('aborted', `Interrupted by ${signal}.`));
  });
}

// `aquifer documents | head` closes the pipe early, as does a terminal: nobody reads any more, but the work goes on.
const unread = ['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'];
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (unread.includes(error.code ?? '')) return;
    if (stream === process.stdout) context.err.line(`✖ the output cannot be written: ${error.message}`);
    process.exit(1);
  });
}

// On stderr, before every answer: which Node this version of Aquifer takes is said by Aquifer.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const context: Context = {
  out: createTerminal({ stream: process.stdout, environment: process.env }),
  err: createTerminal({ stream: process.stderr, environment: process.env }),
  signal: interrupted.signal,
  environment: process.env,
  setExitCode: (code: ExitCode) => {
    process.exitCode = code;
  },
};

try {
  await createProgram(context).parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitCodeFor(error);
}

function exitCodeFor(error: unknown): ExitCode {
  // Commander has already printed what was wrong, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (isAquiferError(error, 'aborted')) {
    const isLeftToWorkers = error.message.startsWith('Stopped waiting');
    context.err.line(
      `  ${isLeftToWorkers ? plainLine(error.message) : 'stopped; what was committed is kept: run the same command again to go on'}`,
    );
    return 130;
  }
  const message = error instanceof Error ? error.message : String(error);
  context.err.line(`${context.err.style('red', '✖')} ${plainLine(message)}`);
  if (!isAquiferError(error)) {
    if (context.environment.AQUIFER_DEBUG && error instanceof Error) context.err.line(error.stack);
    else context.err.line('  this is a defect: AQUIFER_DEBUG=1 shows where it happened');
    return 1;
  }
  return ['invalid-options', 'invalid-filter', 'invalid-query'].includes(error.code) ? 2 : 1;
}
