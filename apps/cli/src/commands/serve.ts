import { once } from 'node:events';
import { type CommandOptions, type Context, printJson, settingsOf } from '../context.js';

/** Serves until Ctrl-C. */
export async function run(context: Context, options: CommandOptions): Promise<void> {
  const { values } = await settingsOf(context, options);
  const { embedderByName, generatorByName } = await import('aquifer');
  const { createLocalBackend, createRetrievalService } = await import('@aquifer/retrieval-service');
  const service = createRetrievalService({ backend: createLocalBackend({ embedderByName, generatorByName }) });
  const url = await service.listen({ host: values.host, port: values.port });
  const { out, signal } = context;
  if (options.json) {
    printJson(context, { type: 'listening', url });
  } else {
    out.line(`  listening on ${url}; Ctrl-C ends`);
    out.line(
      out.style('dim', `  AWS_ENDPOINT_URL_BEDROCK_RUNTIME=${url} AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local`),
    );
  }
  if (!signal.aborted) await once(signal, 'abort');
  await service.close();
}
