import type { IndexSummary, KnowledgeBase, QueueDepth } from 'aquifer';
import type { UploadFolder } from '../uploads/upload-folder.js';
import type { FolderRun, FolderRunOptions } from './index-folder.js';

/** What the service knows of a knowledge base without opening it. */
export interface HostedIdentity {
  /** Ten characters `[0-9A-Z]`: `knowledgeBaseId` on the wire. */
  readonly id: string;
  readonly name: string;
}

/** What reading needs; a handle that is kept open. */
export type ReadableKnowledgeBase = Pick<
  KnowledgeBase,
  'search' | 'explain' | 'ask' | 'embed' | 'documents' | 'document' | 'whyUnread' | 'status'
>;

/** A knowledge base that the service keeps open. */
export interface HostedKnowledgeBase extends HostedIdentity {
  readonly reader: ReadableKnowledgeBase;
  /** Originals that were sent to the service. Absent where none are kept. */
  readonly uploads?: UploadFolder;
  /**
   * Opens the index for writing, and closes it again: other programs may write between. Writers of this process wait for each other.
   *
   * @throws `index-locked` (retryable) while another process writes.
   */
  write<Result>(use: (knowledgeBase: KnowledgeBase) => Promise<Result>): Promise<Result>;
  /** As `write`, to bring the index up to date with a folder: without holding up those who ask meanwhile. */
  indexFolder(run: FolderRun, options: FolderRunOptions): Promise<IndexSummary>;
}

export interface NewKnowledgeBase {
  readonly name: string;
  readonly embedder?: string;
  readonly dimensions?: number;
}

/** Whose knowledge bases there are. Nothing but the key of a request says which tenant it speaks for. */
export interface KnowledgeBaseHost {
  /** How many a tenant can have. Absent: any number. */
  readonly most?: number;
  /** In order of name. */
  list(tenant: string): Promise<readonly HostedIdentity[]>;
  /**
   * By id, or by name.
   *
   * @throws `knowledge-base-not-found`, also for one of another tenant.
   */
  get(tenant: string, idOrName: string): Promise<HostedKnowledgeBase>;
  /** @throws `invalid-options` when there is one already, or no more can be made. */
  create(tenant: string, wanted: NewKnowledgeBase): Promise<HostedKnowledgeBase>;
  /** Deletes its index and the originals that were sent, for good. @throws `knowledge-base-not-found` */
  delete(tenant: string, idOrName: string): Promise<void>;
  /** Tenants of whom there may be files that were sent and are not indexed yet. */
  tenantsWithUploads(): Promise<readonly string[]>;
  /** What workers have to do, whoever's it is. Absent where there are no workers. */
  queue?(): Promise<QueueDepth>;
  close(): Promise<void>;
}
