import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExternalDocumentsOptions } from '../hosting/external-documents.js';
import { createFolderHost, type FolderHostOptions } from '../hosting/folder-host.js';
import type { RetrievalServiceOptions } from '../retrieval-service.js';
import { startService } from './service-fixture.js';

/** A service with the knowledge base of a folder of its own; `close` removes both. */
export async function startNative(
  options: Partial<RetrievalServiceOptions> & {
    readonly index?: Partial<FolderHostOptions['knowledgeBase']>;
    readonly modelName?: (modelId: string) => string;
    readonly dataSources?: readonly string[];
    readonly externalDocuments?: ExternalDocumentsOptions;
    readonly uploadBytes?: number;
  } = {},
) {
  const { index, modelName, externalDocuments, dataSources, uploadBytes = 1024 * 1024, ...others } = options;
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-native-'));
  const location = join(folder, 'index');
  const uploadFolder = join(folder, 'uploads');
  const host = createFolderHost({ knowledgeBase: { location, threads: 1, ...index }, uploadFolder });
  const failures: unknown[] = [];
  const started = await startService({
    knowledgeBases: {
      host,
      uploadBytes,
      ...(modelName && { modelName }),
      ...(externalDocuments && { externalDocuments }),
      ...(dataSources && { dataSources }),
    },
    onFailure: ({ error }) => failures.push(error),
    ...others,
  });
  const { endpoint } = started;
  const send = (path: string, init?: RequestInit) => fetch(endpoint + path, init);
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  return {
    endpoint,
    folder,
    location,
    uploadFolder,
    host,
    /** What the service could not explain. */
    failures,
    send,
    post,
    /** The job that the answer to an upload names, when it is done. */
    async finished(answer: Response) {
      const { job } = await json(answer);
      // The stream ends with the job.
      await (await send(`/v1/jobs/${job.id}/events`)).text();
      return json(await send(`/v1/jobs/${job.id}`));
    },
    async close() {
      await started.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type StartedNative = Awaited<ReturnType<typeof startNative>>;

// biome-ignore lint/suspicious/noExplicitAny: a test takes what it expects to be there, and fails where it is not
export const json = async (response: Response): Promise<any> => response.json();

export interface ReceivedEvent {
  readonly id?: string;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test takes what it expects to be there, and fails where it is not
  readonly data: any;
}

/** Events of a stream as a browser would read them. */
export async function events(response: Response): Promise<ReceivedEvent[]> {
  return (await response.text())
    .split('\n\n')
    .filter((block) => block !== '' && !block.startsWith(':'))
    .map((block) => {
      const fields = Object.fromEntries(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      return { id: fields.id, event: fields.event ?? '', data: JSON.parse(fields.data ?? 'null') };
    });
}
