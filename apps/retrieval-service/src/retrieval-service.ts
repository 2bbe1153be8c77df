import { randomUUID } from 'node:crypto';
import { isIPv6 } from 'node:net';
import {
  type ControlRoute,
  controlRouteOf,
  errorResponse,
  handleControlRequest,
  handleRequest,
  isKnowledgeBaseOperation,
  type KnowledgeBaseBackend,
  type ModelBackend,
  routeOf,
  toWireError,
  type WireResponse,
  type WireRoute,
} from '@aquifer/bedrock-wire';
import { AquiferError } from '@aquifer/contracts';
import { type Caller, createAccessControl } from './access/access-control.js';
import { foreignPageProblem } from './access/foreign-pages.js';
import type { KeyRing } from './access/key-ring.js';
import type { BedrockGateway } from './bedrock-gateway.js';
import { controlScopeOf, createControlPlane } from './control/control-plane.js';
import { type Exchange, type Patience, pathOf } from './exchange.js';
import { createFaultInjector, type FaultInjectorOptions, type Faults, parseFaults } from './faults.js';
import { createExternalDocuments, type ExternalDocumentsOptions } from './hosting/external-documents.js';
import { createHostedKnowledgeBases } from './hosting/hosted-knowledge-bases.js';
import type { KnowledgeBaseHost } from './hosting/knowledge-base-host.js';
import { startIndexingUploads } from './jobs/index-uploads.js';
import { createJobLog } from './jobs/job-log.js';
import { answerExchange } from './native/answer-exchange.js';
import { createNativeApi } from './native/native-api.js';
import { sendProblem } from './native/send-problem.js';
import type { AuditLog } from './observing/audit-log.js';
import { meteredBackend } from './observing/metered-backend.js';
import { meteredKnowledgeBase, observedExternalDocuments, observedHost } from './observing/observed-host.js';
import { createOperations } from './observing/operations.js';
import { meteredResponse } from './observing/passed-through-usage.js';
import type { AnsweredRequest } from './observing/request-lines.js';
import { observeRequest, type RequestObservation } from './observing/request-observer.js';
import { createServiceMetrics } from './observing/service-metrics.js';
import type { RequestTracing } from './observing/tracing.js';
import { createOnePort } from './one-port.js';
import { createPageFiles } from './page-files.js';
import type { PromptLog } from './prompt-log.js';
import { createSessionStore } from './sessions/session-store.js';

/** Bedrock's own limit for a body, in bytes. */
const maxBodyBytes = 25_000_000;
const faultHeader = 'x-aquifer-fault';
const defaultUploadBytes = 256 * 2 ** 20;
const mostUploadFiles = 10_000;
/** Of the API, in its OpenAPI document. */
const apiVersion = '1.0.0';

export interface RetrievalServiceOptions {
  readonly backend: ModelBackend;
  /**
   * Who may ask. With keys, every request must be signed by one of them, or bear its secret as a token. Without, any signature is accepted,
   * and the service is only for this machine.
   */
  readonly keys?: Pick<KeyRing, 'usable'>;
  /** Requests for some models go to the real Bedrock. Only with keys: what they cost is somebody's. */
  readonly passThrough?: { readonly gateway: BedrockGateway; includes(modelId: string): boolean };
  /** Trouble for every request. */
  readonly faults?: Faults;
  /** Whether a caller may ask for trouble in the header `x-aquifer-fault`. Default: yes, unless requests are passed through. */
  readonly faultsByHeader?: boolean;
  readonly faultSource?: FaultInjectorOptions;
  /** Keeps what is asked. Default: nothing is kept. */
  readonly promptLog?: PromptLog;
  /** Knowledge bases to serve. Absent: models alone. */
  readonly knowledgeBases?: {
    readonly host: KnowledgeBaseHost;
    /** What answers for a model of Bedrock's name, in the library's names. Default: the built-in answerer. */
    readonly modelName?: (modelId: string) => string;
    /** Most bytes of one file that is sent. Default 256 MiB. */
    readonly uploadBytes?: number;
    /** How documents that come with their question are read, and which objects of buckets questions may name. Default: none. */
    readonly externalDocuments?: ExternalDocumentsOptions;
    /** Buckets, and prefixes of them (`s3://bucket/prefix`), that data sources may be made of. Default: none. */
    readonly dataSources?: readonly string[];
  };
  /** Keeps who did what with which knowledge base. Default: nobody does. */
  readonly auditLog?: AuditLog;
  /** Told of each request when it is over. */
  readonly onRequest?: (request: AnsweredRequest) => void;
  /** Makes spans of requests. Default: none. */
  readonly tracing?: RequestTracing;
  /** The folder of the built page for browsers. Absent: none is served. */
  readonly page?: string;
  /** Told of failures that nobody outside has caused, which callers are told nothing about. */
  readonly onFailure?: (failure: { readonly requestId: string; readonly error: unknown }) => void;
  /** How long clients may take. Default: half a minute for a head, a minute of silence, five minutes for a body that is no upload. */
  readonly patience?: Patience;
  /** The clock that signatures are held against, milliseconds since 1970. */
  readonly now?: () => number;
}

export interface ListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8420; 0 takes any free one. */
  readonly port?: number;
}

export interface RetrievalService {
  /**
   * @returns the address, such as `http://127.0.0.1:8420`.
   * @throws `invalid-options` for an address that others can reach while there are no keys, or one that cannot be listened on.
   */
  listen(options?: ListenOptions): Promise<string>;
  /** Requests under way may finish for `graceMs` (default 10,000), then they are broken off. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Aquifer over HTTP: the runtime of Amazon Bedrock, for any AWS SDK. HTTP/1.1 and HTTP/2 without TLS on one port.
 *
 * @throws `invalid-options` when requests are passed through and there are no keys.
 *
 * @example
 * const service = createRetrievalService({ backend: createLocalBackend({ embedderByName, generatorByName }) });
 * const url = await service.listen(); // AWS_ENDPOINT_URL_BEDROCK_RUNTIME
 */
export function createRetrievalService(options: RetrievalServiceOptions): RetrievalService {
  const { backend, keys, passThrough, promptLog, now = Date.now } = options;
  if (passThrough && keys === undefined) {
    throw new AquiferError(
      'invalid-options',
      'Requests are passed through to Amazon Bedrock only for callers with a key, because it costs money: give a file of keys (keyFile).',
    );
  }
  const faultsByHeader = options.faultsByHeader ?? passThrough === undefined;
  const injector = createFaultInjector(options.faultSource);

  const ending = new AbortController();
  const jobs = createJobLog();
  const sessions = createSessionStore({ now });
  const {
    host: knowledgeBases,
    uploadBytes = defaultUploadBytes,
    modelName = () => 'builtin',
  } = options.knowledgeBases ?? {};
  const native =
    knowledgeBases &&
    createNativeApi({
      jobs,
      sessions,
      uploadBytes,
      uploadFiles: mostUploadFiles,
      signal: ending.signal,
      onFailure: options.onFailure,
      version: apiVersion,
    });
  const externalDocuments = createExternalDocuments(options.knowledgeBases?.externalDocuments);
  const access = createAccessControl(keys, now);
  const control =
    knowledgeBases &&
    createControlPlane({
      host: knowledgeBases,
      modelName,
      dataSources: options.knowledgeBases?.dataSources ?? [],
      signal: ending.signal,
      onFailure: options.onFailure,
      now,
    });
  const metrics = createServiceMetrics();
  const operations = createOperations({ access, host: knowledgeBases, jobs, metrics, signal: ending.signal });
  const page = options.page === undefined ? undefined : createPageFiles(options.page);

  function faultsOf({ headers }: Exchange): Faults | undefined {
    const header = headers[faultHeader];
    return faultsByHeader && header !== undefined ? parseFaults(String(header)) : options.faults;
  }

  const knowledgeBasesOf = (
    { tenant }: Caller,
    { rerank }: ModelBackend,
    observation: RequestObservation,
  ): KnowledgeBaseBackend | undefined =>
    knowledgeBases &&
    createHostedKnowledgeBases({
      host: observedHost(knowledgeBases, observation),
      tenant,
      sessions,
      externalDocuments: observedExternalDocuments(externalDocuments, observation),
      rerank,
      modelName,
    });

  /** By the formats of Bedrock: models, and knowledge bases searched and asked. */
  async function answerAsBedrock(
    exchange: Exchange,
    route: WireRoute,
    body: Buffer,
    observation: RequestObservation,
  ): Promise<WireResponse> {
    const { method, target, headers, signal } = exchange;
    const { modelId, operation, knowledgeBaseId } = route;
    const { requestId } = observation;
    try {
      const isSearch = isKnowledgeBaseOperation(operation);
      // Rerank and knowledge bases are not of the endpoint that requests are passed on to: their model is in the body, and asked by the backend.
      const passedOn = modelId !== '' && passThrough?.includes(modelId) ? passThrough.gateway : undefined;
      const caller = access.admit({ method, target, headers, body }, isSearch ? 'read' : 'model');
      observation.admitted(caller);
      const metered = meteredBackend(backend, observation);
      const accessKeyId = caller.keyId ?? 'local';
      const faults = faultsOf(exchange);
      if (faults) await injector.before(faults, `${accessKeyId} ${modelId || knowledgeBaseId || operation}`, signal);
      await promptLog?.keep({ accessKeyId, requestId, operation, modelId, body });
      const response = await (passedOn
        ? passedOn
            .forward({ method, target, headers, body, requestId, signal })
            .then((answered) => meteredResponse(answered, modelId, observation))
        : handleRequest(
            { requestId, headers, body, signal, ...route },
            metered,
            knowledgeBasesOf(caller, metered, observation),
          ));
      if (faults === undefined || response.status !== 200 || isWhole(response.body)) return response;
      return { ...response, body: injector.within(faults, response.body) };
    } catch (thrown) {
      return errorResponse(toWireError(thrown), requestId);
    }
  }

  /** By the API that manages knowledge bases. */
  async function answerAsControlPlane(
    exchange: Exchange,
    route: ControlRoute,
    body: Buffer,
    observation: RequestObservation,
  ): Promise<WireResponse> {
    const { method, target, headers, signal } = exchange;
    const { requestId } = observation;
    try {
      const caller = access.admit({ method, target, headers, body }, controlScopeOf(route.operation));
      observation.admitted(caller);
      const faults = faultsOf(exchange);
      if (faults) await injector.before(faults, `${caller.keyId ?? 'local'} ${route.operation}`, signal);
      if (control === undefined || knowledgeBases === undefined) {
        return errorResponse(
          { name: 'ResourceNotFoundException', message: 'There are no knowledge bases here.' },
          requestId,
        );
      }
      const backend = control.backendFor({
        tenant: caller.tenant,
        host: observedHost(knowledgeBases, observation),
        observer: observation,
        region: regionOf(headers.authorization),
      });
      return await handleControlRequest({ requestId, body, ...route }, backend);
    } catch (thrown) {
      return errorResponse(toWireError(thrown), requestId);
    }
  }

  /** What was sent before the service ended, and may not be in the index yet. One tenant's trouble is not another's. */
  async function indexLeftOverUploads(served: KnowledgeBaseHost): Promise<void> {
    const nobody = observeRequest('start', { access, audit: undefined, metrics });
    for (const tenant of await served.tenantsWithUploads()) {
      try {
        for (const { id } of await served.list(tenant)) {
          const knowledgeBase = meteredKnowledgeBase(await served.get(tenant, id), nobody);
          if (!(await knowledgeBase.uploads?.exists())) continue;
          await control?.resume(tenant, knowledgeBase);
          startIndexingUploads(jobs, tenant, knowledgeBase, { signal: ending.signal });
        }
      } catch (error) {
        options.onFailure?.({ requestId: 'start', error });
      }
    }
  }

  async function answer(exchange: Exchange, observation: RequestObservation): Promise<void> {
    const { requestId } = observation;
    const path = pathOf(exchange.target);
    // Models do not go through the router: nothing but parsing and answering is on their way.
    const route = exchange.method === 'POST' ? routeOf(path) : undefined;
    const managed = route === undefined ? controlRouteOf(exchange.method, path) : undefined;
    const refused = keys === undefined ? foreignPageProblem(exchange.headers) : undefined;
    if (refused !== undefined) {
      await exchange.readBody(0);
      if (route === undefined && managed === undefined) sendProblem(exchange, refused, requestId);
      else {
        const { message } = refused;
        await respond(exchange, errorResponse({ name: 'AccessDeniedException', message }, requestId));
      }
    } else if (route !== undefined) {
      observation.isOf(route.operation);
      const body = await exchange.readBody(maxBodyBytes);
      const response =
        body === undefined
          ? errorResponse(tooLong, requestId)
          : await answerAsBedrock(exchange, route, body, observation);
      await respond(exchange, response);
    } else if (managed !== undefined) {
      observation.isOf(managed.operation);
      const body = await exchange.readBody(maxBodyBytes);
      const response =
        body === undefined
          ? errorResponse(tooLong, requestId)
          : await answerAsControlPlane(exchange, managed, body, observation);
      await respond(exchange, response);
    } else if (operations.answers(exchange.method, path)) {
      await operations.answer(exchange, observation);
    } else if (page !== undefined && (await page.answer(exchange, requestId))) {
      observation.isOf('page');
    } else if (native !== undefined && knowledgeBases !== undefined && isNative(exchange)) {
      await answerExchange(native, exchange, { access, host: knowledgeBases, observation });
    } else {
      await exchange.readBody(maxBodyBytes);
      const message = `There is no ${exchange.method} ${path}.`;
      await respond(exchange, errorResponse({ name: 'UnknownOperationException', message }, requestId));
    }
  }

  async function handle(exchange: Exchange): Promise<void> {
    const startedAt = performance.now();
    const observation = observeRequest(randomUUID(), { access, audit: options.auditLog, metrics });
    const observed = operations.begun();
    const answered = async (): Promise<AnsweredRequest> => {
      let isBroken = false;
      try {
        await answer(exchange, observation);
      } catch {
        // The caller is gone, or what it was being sent broke off.
        isBroken = true;
        exchange.cut();
      }
      const { method, target, status = 0 } = exchange;
      const { requestId, caller, operation, usages, ms } = observation;
      const seconds = (performance.now() - startedAt) / 1000;
      const request = { requestId, caller, operation, usages, ms, method, target, status, seconds, isBroken };
      observed.ended(request);
      options.onRequest?.(request);
      return request;
    };
    await (options.tracing ? options.tracing.during(exchange.headers, answered) : answered());
  }

  const port = createOnePort(handle, options.patience);
  return {
    async listen({ host = '127.0.0.1', port: wanted = 8420 } = {}) {
      if (keys === undefined && !isLoopback(host)) {
        throw new AquiferError(
          'invalid-options',
          `Without keys the service listens on this machine only, not on ${host}: give a file of keys (keyFile), or leave the host out.`,
        );
      }
      try {
        const bound = await port.listen(host, wanted);
        if (knowledgeBases) {
          indexLeftOverUploads(knowledgeBases).catch((error: unknown) => {
            options.onFailure?.({ requestId: 'start', error });
          });
        }
        return `http://${isIPv6(bound.host) ? `[${bound.host}]` : bound.host}:${bound.port}`;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        const reason = code === 'EADDRINUSE' ? 'another program has that port' : message;
        throw new AquiferError('invalid-options', `Cannot listen on ${host}:${wanted}: ${reason}.`, { cause: error });
      }
    },
    async close({ graceMs = 10_000 } = {}) {
      // Jobs end after the document they are at; what was sent is in its folder, and is indexed when the service starts again.
      ending.abort();
      await port.close(graceMs);
      await jobs.settled();
      await externalDocuments.close();
      await control?.settled();
      await knowledgeBases?.close();
    },
  };
}

const tooLong = {
  name: 'ValidationException',
  message: `1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than or equal to ${maxBodyBytes}`,
} as const;

/** What the request was signed for; what ARNs say. */
function regionOf(authorization: string | undefined): string {
  return /Credential=[^/,]+\/\d{8}\/([a-z0-9-]{1,40})\//.exec(authorization ?? '')?.[1] ?? 'us-east-1';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function isWhole(body: WireResponse['body']): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}

async function respond(exchange: Exchange, { status, headers, body }: WireResponse): Promise<void> {
  if (isWhole(body)) exchange.send(status, headers, body);
  else await exchange.stream(status, headers, body);
}

/** What is meant for the API of our own. */
function isNative(exchange: Exchange): boolean {
  return exchange.target.startsWith('/v1/') || !isOfAnAwsClient(exchange);
}

/** Whatever is signed for AWS expects errors in AWS's form. */
function isOfAnAwsClient({ headers }: Exchange): boolean {
  return headers.authorization?.startsWith('AWS4-') === true || headers['x-amz-date'] !== undefined;
}
