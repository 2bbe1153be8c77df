import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KnowledgeBaseOptions } from 'aquifer';
import { type CommandOptions, type Context, optionsOf, printJson, settingsOf } from '../context.js';
import { counted } from '../terminal/progress-bar.js';
import { defaultKeyFile } from './keys.js';

/** Serves until Ctrl-C. */
export async function run(context: Context, options: CommandOptions): Promise<void> {
  const settings = await settingsOf(context, options);
  const { values } = settings;
  const { host, port, modelMap = {}, keyFile, faults, faultsByHeader, promptLog } = values;
  const { bedrockUpstream, embedderByName, generatorByName, isPostgresLocation, modelOptions, rerankerFor } =
    await import('aquifer');
  const models = modelOptions(values);
  const {
    createAuditLog,
    createBedrockGateway,
    createDatabaseHost,
    createFolderHost,
    createLocalBackend,
    createPromptLog,
    createRetrievalService,
    mappedModel,
    nameOfModel,
    openKeyRing,
    openRequestLog,
    openTracing,
    parseFaults,
    realBedrock,
    requestLine,
  } = await import('@aquifer/retrieval-service');

  const isGateway = Object.values(modelMap).includes(realBedrock);
  const keyPath = keyFile ?? defaultKeyFile;
  const ring = keyFile !== undefined || existsSync(keyPath) ? openKeyRing(keyPath, { mustExist: true }) : undefined;
  // A file that cannot be used is refused now, not with the first request.
  const keys = ring?.usable(Date.now()) ?? [];
  const knowledgeBase = await optionsOf(context, settings);
  const served = isPostgresLocation(knowledgeBase.location)
    ? createDatabaseHost({ knowledgeBase, uploadFolder: values.uploads ?? '.aquifer-uploads' })
    : createFolderHost({ knowledgeBase, uploadFolder: values.uploads ?? uploadsBeside(knowledgeBase) });
  const requestLog =
    values.requestLog === undefined || values.requestLog === '-' ? undefined : await openRequestLog(values.requestLog);
  const service = createRetrievalService({
    knowledgeBases: {
      host: served,
      modelName: (modelId: string) => nameOfModel(modelMap, modelId),
      externalDocuments: { knowledgeBase: readingOptions(knowledgeBase), allowedObjects: values.externalSources },
      ...(values.dataSources && { dataSources: values.dataSources }),
      ...(values.maxFileMb !== undefined && { uploadBytes: values.maxFileMb * 2 ** 20 }),
    },
    page: join(dirname(fileURLToPath(import.meta.resolve('@aquifer/web/package.json'))), 'dist/page'),
    onFailure: ({ requestId, error }) => context.err.line(`request ${requestId}: ${(error as Error).stack}`),
    backend: createLocalBackend({
      models: modelMap,
      embedderByName: (name) => embedderByName(name, models),
      generatorByName: (name) => generatorByName(name, models),
      rerankerByName: (name) => rerankerFor(name, models),
    }),
    ...(ring && { keys: ring }),
    ...(isGateway && {
      passThrough: {
        gateway: createBedrockGateway(await bedrockUpstream()),
        includes: (modelId: string) => mappedModel(modelMap, modelId) === realBedrock,
      },
    }),
    ...(faults !== undefined && { faults: parseFaults(faults) }),
    faultsByHeader,
    ...(promptLog !== undefined && { promptLog: createPromptLog(promptLog) }),
    ...(values.auditLog !== undefined && {
      auditLog: createAuditLog(values.auditLog, { keepsText: values.auditText ?? false }),
    }),
    ...(values.requestLog === '-' && { onRequest: (request) => context.err.line(requestLine(request)) }),
    ...(requestLog && { onRequest: requestLog.keep }),
    // The variable by which OpenTelemetry's own SDK is told where traces go.
    ...(context.environment.OTEL_EXPORTER_OTLP_ENDPOINT && { tracing: await openTracing() }),
  });
  const url = await service.listen({ host, port });
  const { out, signal } = context;
  if (options.json) {
    printJson(context, { type: 'listening', url, keys: keys.length });
  } else {
    const credentials = ring === undefined ? ' AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local' : '';
    const services = ['BEDROCK_RUNTIME', 'BEDROCK_AGENT_RUNTIME', 'BEDROCK_AGENT'];
    out.line(`  listening on ${url}; Ctrl-C ends`);
    for (const service of services) out.line(out.style('dim', `  export AWS_ENDPOINT_URL_${service}=${url}`));
    out.line(out.style('dim', `  export AWS_REGION=us-east-1${credentials}`));
    if (ring)
      out.line(out.style('dim', `  requests need one of ${counted(keys.length, 'key')}: npx aquifer keys create`));
  }
  if (!signal.aborted) await once(signal, 'abort');
  await service.close();
  await requestLog?.close();
}

/** Of a document that comes with its question as of any other; where the index is and what it is built with says nothing about it. */
function readingOptions(options: KnowledgeBaseOptions) {
  const { models, readTimeoutMs, readMemoryMb, ocr, ocrLanguages, passwords, s3 } = options;
  return { models, readTimeoutMs, readMemoryMb, ocr, ocrLanguages, passwords, s3 };
}

/** Hidden, so that indexing the folder around it passes it by; and not in the index, which is replaced as a whole when it is rebuilt. */
function uploadsBeside({ location, encryptionKey }: KnowledgeBaseOptions): string | undefined {
  // Nobody has said that what is encrypted in the index may lie open beside it.
  if (encryptionKey !== undefined) return undefined;
  const index = resolve(location);
  return join(dirname(index), `.${basename(index).replace(/^\./, '')}-uploads`);
}
