import type { ControlBackend, ControlOperation, DataSourcePlace } from '@aquifer/bedrock-wire';
import type { KeyScope } from '../access/key-ring.js';
import type { HostedKnowledgeBase, KnowledgeBaseHost } from '../hosting/knowledge-base-host.js';
import { createIdempotentAnswers } from '../native/idempotent-answers.js';
import { meteredKnowledgeBase } from '../observing/observed-host.js';
import type { RequestObserver } from '../observing/request-observer.js';
import { createAllowedPlaces } from './allowed-places.js';
import { controlFolderOf, type DataSourceRecord } from './control-folder.js';
import { dataSourceOperations, dataSourcesOf } from './data-sources.js';
import { createDataSourceDeletions } from './delete-data-source.js';
import { createDocumentWorker, type DocumentWorker } from './document-worker.js';
import { documentOperations } from './documents.js';
import { ingestionJobOperations } from './ingestion-jobs.js';
import { createIngestionRuns, type IngestionRuns } from './ingestion-runs.js';
import { knowledgeBaseOperations } from './knowledge-bases.js';

export interface ControlPlaneOptions {
  /** Not observed: for what goes on after a request was answered. */
  readonly host: KnowledgeBaseHost;
  /** What stands for a model of Bedrock's name, in the library's names. */
  readonly modelName: (modelId: string) => string;
  /** Buckets and prefixes of them that data sources may be made of. */
  readonly dataSources: readonly string[];
  /** Fires when the service ends. */
  readonly signal: AbortSignal;
  readonly onFailure?: ((failure: { readonly requestId: string; readonly error: unknown }) => void) | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Whose request it is, and what it is seen to do. */
export interface ControlCaller {
  readonly tenant: string;
  /** Whatever is done with it is observed. */
  readonly host: KnowledgeBaseHost;
  readonly observer: RequestObserver;
  /** For ARNs. */
  readonly region: string;
}

/** What the operations of one request work with. */
export interface ControlSurroundings extends ControlCaller, Pick<ControlPlaneOptions, 'now' | 'modelName'> {
  readonly worker: DocumentWorker;
  readonly runs: IngestionRuns;
  /** @throws ValidationException for a place that the service may not read for its callers */
  checkPlace(place: DataSourcePlace): void;
  checkObject(uri: string): void;
  /** Answers a request that comes again with the same token as the first was. */
  readonly idempotent: <Answer>(key: string | undefined, answer: () => Promise<Answer>) => Promise<Answer>;
  /** The same knowledge base for work that outlives the request: of that nothing is audited again, and what it takes is counted for the caller. */
  afterwards(knowledgeBase: HostedKnowledgeBase): Promise<HostedKnowledgeBase>;
  startDeleting(knowledgeBase: HostedKnowledgeBase, source: DataSourceRecord): void;
  /** Ends what goes on in a knowledge base that is about to go. */
  leave(knowledgeBase: HostedKnowledgeBase): Promise<void>;
}

/** Bedrock's API for knowledge bases, their data sources and their documents. */
export interface ControlPlane {
  backendFor(caller: ControlCaller): ControlBackend;
  /** Goes on with what was accepted before the service ended. */
  resume(tenant: string, knowledgeBase: HostedKnowledgeBase): Promise<void>;
  settled(): Promise<void>;
}

export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { signal, onFailure, now, modelName } = options;
  const worker = createDocumentWorker({ signal, onFailure });
  const runs = createIngestionRuns({ signal, now });
  const deletions = createDataSourceDeletions({ worker, runs, signal, onFailure });
  const places = createAllowedPlaces(options.dataSources);
  const answers = createIdempotentAnswers<unknown>();
  /** "If this token matches a previous request, Amazon Bedrock ignores the request, but does not return an error": whatever else it asks for. */
  const digest = async () => '';
  const idempotent: ControlSurroundings['idempotent'] = (key, answer) => {
    if (key === undefined) return answer();
    const act = async () => ({ answer: await answer(), digest: await digest() });
    return answers(key, { act, digest }) as ReturnType<typeof answer>;
  };

  return {
    backendFor(caller) {
      const { tenant } = caller;
      const surroundings: ControlSurroundings = {
        ...caller,
        now,
        modelName,
        worker,
        runs,
        ...places,
        idempotent,
        afterwards: async ({ id }) => meteredKnowledgeBase(await options.host.get(tenant, id), caller.observer),
        startDeleting: (knowledgeBase, source) => deletions.start(tenant, knowledgeBase, source),
        async leave(knowledgeBase) {
          for (const { dataSourceId } of await dataSourcesOf(knowledgeBase)) {
            await runs.stop(tenant, knowledgeBase.id, dataSourceId);
            await controlFolderOf(knowledgeBase)?.forget(dataSourceId);
            await worker.idle(tenant, knowledgeBase.id, dataSourceId);
          }
        },
      };
      return {
        ...knowledgeBaseOperations(surroundings),
        ...dataSourceOperations(surroundings),
        ...ingestionJobOperations(surroundings),
        ...documentOperations(surroundings),
      };
    },
    async resume(tenant, knowledgeBase) {
      for (const source of await dataSourcesOf(knowledgeBase)) {
        if (source.status === 'DELETING') deletions.start(tenant, knowledgeBase, source);
        else worker.start(tenant, knowledgeBase, source);
      }
    },
    async settled() {
      await runs.settled();
      await deletions.settled();
      await worker.settled();
    },
  };
}

/** What a request needs a key for. */
export function controlScopeOf(operation: ControlOperation): KeyScope {
  if (/^(Get|List)/.test(operation)) return 'read';
  return /IngestionJob$|Documents$/.test(operation) ? 'write' : 'admin';
}
