import { z } from '@hono/zod-openapi';

/** What indexing says while it goes on and when it is done: jobs, their events, the last run of a knowledge base. */

const progressSchema = z
  .object({
    phase: z.enum(['listing', 'reading', 'deleting']),
    done: z.int().describe('Files that are done'),
    total: z.int().describe('All files of the run; 0 while listing'),
    chunks: z.int(),
    chunksPerSecond: z.number(),
    msLeft: z.number().optional(),
    workers: z
      .object({ waiting: z.int(), running: z.int(), workers: z.int(), note: z.string().optional() })
      .optional()
      .describe('Where workers do the work'),
  })
  .openapi('IndexProgress');

const documentEventSchema = z
  .object({
    type: z.literal('document'),
    source: z.string(),
    status: z.enum(['indexed', 'partially-indexed', 'ignored', 'failed', 'moved', 'deleted', 'left-out']),
    reason: z.string().optional(),
    from: z.string().optional().describe('Where a moved file was before'),
    chunks: z.int(),
    ms: z.number(),
  })
  .openapi('DocumentEvent');

const counts = Object.fromEntries(
  (
    'scanned new modified moved unchanged ignored failed deleted skipped hidden excluded outside chunks embedded ' +
    'cacheHits tokens requests'
  )
    .split(' ')
    .map((name) => [name, z.int()]),
);

export const runSummarySchema = z
  .object(counts)
  .extend({
    costUsd: z.number().optional().describe('Absent where nobody charges or the price is not known'),
    ms: z.number(),
    enqueued: z.int().optional().describe('Documents that were left to workers'),
  })
  .openapi('RunSummary');

export const queueSchema = z
  .object({ waiting: z.int(), running: z.int(), failed: z.int(), workers: z.int(), note: z.string().optional() })
  .openapi('Queue');

export const jobSchema = z
  .object({
    id: z.string(),
    knowledgeBaseId: z.string(),
    status: z.enum(['queued', 'running', 'succeeded', 'partially-succeeded', 'failed']),
    createdAt: z.int(),
    startedAt: z.int().optional(),
    finishedAt: z.int().optional(),
    progress: progressSchema.optional(),
    failures: z.array(z.object({ source: z.string(), reason: z.string() })),
    summary: runSummarySchema.optional(),
    reason: z.string().optional(),
  })
  .openapi('Job');

export const jobListSchema = z
  .object({ jobs: z.array(jobSchema).describe('Newest first'), nextCursor: z.string().optional() })
  .openapi('JobList');

/** In the stream, `event` and `data` are lines of server-sent events. */
export const jobEventSchema = z
  .discriminatedUnion('event', [
    z.object({ event: z.literal('job'), data: jobSchema }),
    z.object({ event: z.literal('progress'), data: progressSchema }),
    z.object({ event: z.literal('document'), data: documentEventSchema }),
  ])
  .openapi('JobEvent');
