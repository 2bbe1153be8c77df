import { AquiferError } from '@aquifer/contracts';
import type { Query } from '../transactions.js';

/** By which a worker has a job: others have another one as soon as the job is theirs. */
export interface JobClaim {
  readonly documentId: string;
  /** Of what was asked for: another one each time the document is handed to the workers. */
  readonly revision: string;
  readonly worker: string;
  /** Of how many, for one that took the same job twice. */
  readonly attempts: number;
}

/** Columns of the row that a claim stands for, from the third parameter on; the first two are tenant and knowledge base. */
export const claimed =
  'tenant = $1 AND knowledge_base = $2 AND document_id = $3 AND revision = $4 AND worker = $5 AND attempts = $6 AND ended IS NULL';
export const claimKeys = ({ documentId, revision, worker, attempts }: JobClaim): unknown[] => [
  documentId,
  revision,
  worker,
  attempts,
];

/** What is done for a job that is somebody else's by now. */
export const claimLost = (documentId: string): AquiferError =>
  new AquiferError(
    'aborted',
    `The work on document ${JSON.stringify(documentId)} was given to somebody else meanwhile, or is not wanted any more: nothing of it was written.`,
  );

/**
 * Holds the claim until the transaction ends: whoever takes the job waits for it. To be asked after the document's row is locked, as everybody
 * locks the two in this order.
 *
 * @throws `aborted` where the claim does not hold any more
 */
export async function assertClaim(query: Query, tenant: string, knowledgeBase: string, claim: JobClaim): Promise<void> {
  const [row] = await query(`SELECT 1 AS held FROM aquifer.ingestion_jobs WHERE ${claimed} FOR SHARE`, [
    tenant,
    knowledgeBase,
    ...claimKeys(claim),
  ]);
  if (row === undefined) throw claimLost(claim.documentId);
}

/**
 * Forgets the jobs of documents that somebody brings up to date or deletes without them: a worker that has one in work would replace a newer
 * version by an older one. What has ended stays for whoever waits for it, but for failures.
 */
export async function dropJobs(
  query: Query,
  tenant: string,
  knowledgeBase: string,
  documentIds: readonly string[],
): Promise<void> {
  if (documentIds.length === 0) return;
  await query(
    `DELETE FROM aquifer.ingestion_jobs WHERE tenant = $1 AND knowledge_base = $2 AND document_id = ANY($3::text[])
     AND (ended IS NULL OR ended = 'failed' AND cardinality(runs) = 0)`,
    [tenant, knowledgeBase, documentIds],
  );
}
