import { documentStatuses, type Filter, filterOperators, maxSearchLimit, parseFilter } from '@aquifer/contracts';
import { z } from '@hono/zod-openapi';
import { pageQuerySchema } from './page-cursor.js';
import { jobSchema, queueSchema, runSummarySchema } from './run-schemas.js';

/**
 * What callers send and get. The same objects check requests and describe them in `/openapi.json`; answers are the library's own objects, so
 * their schemas describe and do not check.
 */

const offsets = {
  start: z.int().min(0).describe('UTF-16 offset in the extracted text'),
  end: z.int().min(0).describe('UTF-16 offset in the extracted text, exclusive'),
};

export const metadataSchema = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]))
  .openapi('Metadata', { description: 'Flat: strings, numbers, booleans and lists of strings' });

/** The grammar is the library's: what its parser refuses is refused here, with its message. */
export const filterSchema: z.ZodType<Filter> = z
  .custom<Filter>((value) => {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  }, 'must be an object such as {"equals": {"key": "country", "value": "JP"}}')
  .transform((value) => parseFilter(value))
  .openapi('Filter', {
    type: 'object',
    description: `A condition on metadata in the grammar of Bedrock Knowledge Bases, with exactly one of ${filterOperators.join(', ')}`,
    minProperties: 1,
    maxProperties: 1,
    properties: Object.fromEntries(
      filterOperators.map((operator) => [
        operator,
        operator === 'andAll' || operator === 'orAll'
          ? { type: 'array' as const, items: { $ref: '#/components/schemas/Filter' } }
          : {
              type: 'object' as const,
              required: ['key', 'value'],
              properties: { key: { type: 'string' as const }, value: {} },
            },
      ]),
    ),
    example: { equals: { key: 'country', value: 'JP' } },
  });

const searching = {
  filter: filterSchema.optional(),
  mode: z.enum(['hybrid', 'dense', 'keyword']).optional().describe('Which legs of the search run; default hybrid'),
  fusion: z.enum(['convex', 'rrf']).optional(),
  denseWeight: z.number().min(0).max(1).optional(),
};

export const searchRequestSchema = z
  .strictObject({
    query: z.string(),
    limit: z.int().min(1).max(maxSearchLimit).optional().describe('Most matches; default 10'),
    ...searching,
    trace: z.boolean().optional().describe('Adds where each candidate stood'),
  })
  .openapi('SearchRequest', { example: { query: 'parental leave in Japan', limit: 5 } });

export const askRequestSchema = z
  .strictObject({
    question: z.string(),
    limit: z.int().min(1).max(1_000).optional().describe('Most passages that the model is given; default 8'),
    ...searching,
    model: z.string().min(1).max(2_048).optional().describe('Another model than the knowledge base has'),
    maxTokens: z.int().min(1).max(1_000_000).optional(),
    temperature: z.number().min(0).max(2).optional(),
    topP: z.number().min(0).max(1).optional(),
    stopSequences: z.array(z.string().min(1)).max(4).optional().describe('The answer ends before the first of these'),
    promptTemplate: z
      .string()
      .min(1)
      .max(20_000)
      .optional()
      .describe(
        'Instead of the built-in instructions: `$search_results$`, which it must have, becomes the passages, `$query$` the question, `$output_format_instructions$` how to cite. The built-in answerer ignores it',
      ),
    includePrompt: z.boolean().optional(),
    session: z
      .string()
      .min(2)
      .max(100)
      .optional()
      .describe(
        '`new` begins a conversation; the `sessionId` of an answer goes on with it, and the question may lean on those before it',
      ),
  })
  .openapi('AskRequest', { example: { question: 'How long is parental leave in Japan?' } });

const placeShape = {
  documentId: z.string(),
  source: z.string(),
  title: z.string(),
  headings: z.array(z.string()),
  pageStart: z.int().optional(),
  pageEnd: z.int().optional(),
  ...offsets,
};

const searchUsageSchema = z
  .array(z.object({ model: z.string(), tokens: z.int(), costUsd: z.number().optional() }))
  .optional()
  .describe('By model; absent where nobody took anything: words alone were searched for, or the query is remembered');

const timesSchema = z.record(z.string(), z.number()).describe('Milliseconds by stage');

export const searchResponseSchema = z
  .object({
    query: z.string(),
    plan: z.object({ dense: z.enum(['exact', 'approximate', 'off']), keyword: z.enum(['on', 'off']) }),
    matches: z.array(
      z
        .object({
          rank: z.int(),
          score: z.number(),
          scores: z.object({
            dense: z.number().optional(),
            keyword: z.number().optional(),
            fused: z.number(),
            rerank: z.number().optional(),
          }),
          ...placeShape,
          chunkId: z.string(),
          text: z.string(),
          uri: z.string().describe('Where the original is'),
          metadata: metadataSchema,
        })
        .openapi('SearchMatch'),
    ),
    notes: z.array(z.string()).optional(),
    trace: z.looseObject({}).optional(),
    costUsd: z
      .number()
      .optional()
      .describe("Of the query's embedding and the reranker; absent where nobody charges or no price is known"),
    usage: searchUsageSchema,
    ms: timesSchema,
  })
  .openapi('SearchResponse');

export const explainRequestSchema = z
  .strictObject({
    query: z.string(),
    documentId: z.string().min(1).max(200),
    limit: z.int().min(1).max(maxSearchLimit).optional().describe('That of the search; default 10'),
    ...searching,
  })
  .openapi('ExplainRequest', { example: { query: 'parental leave in Japan', documentId: '…' } });

/** A chunk, but for what its id is called. */
const chunkShape = {
  ordinal: z.int(),
  ...offsets,
  pageStart: z.int().optional(),
  pageEnd: z.int().optional(),
  headings: z.array(z.string()),
  text: z.string(),
};

const standingSchema = z.object({ rank: z.int().optional(), score: z.number() });

export const explanationSchema = z
  .object({
    query: z.string(),
    documentId: z.string(),
    source: z.string(),
    title: z.string(),
    outcome: z.enum(['returned', 'below-limit', 'not-a-candidate', 'filtered-out', 'not-searchable']),
    reason: z.string().describe('The outcome as a sentence for people'),
    usage: searchUsageSchema,
    best: z
      .object({
        chunkId: z.string(),
        ...chunkShape,
        dense: standingSchema.optional(),
        keyword: standingSchema.optional(),
        fused: standingSchema.optional(),
        rerank: standingSchema.optional(),
        returned: z.int().optional().describe('Rank among the matches'),
      })
      .optional()
      .describe("The document's best chunk, and where it stood in each leg"),
  })
  .openapi('Explanation');

const citationSchema = z
  .object({
    start: z.int(),
    end: z.int(),
    references: z.array(z.object({ rank: z.int(), ...placeShape, quote: z.string(), verified: z.boolean() })),
  })
  .openapi('Citation');

export const answerSchema = z
  .object({
    question: z.string(),
    standaloneQuestion: z
      .string()
      .optional()
      .describe('What was searched for, where the question leaned on a conversation'),
    sessionId: z.string().optional().describe('Where a session was asked for'),
    answer: z.string(),
    abstained: z.boolean(),
    citations: z.array(citationSchema),
    unsupported: z.array(z.object({ start: z.int(), end: z.int() })),
    model: z.string(),
    modelDescription: z.string(),
    stopReason: z.string(),
    considered: z.int(),
    notes: z.array(z.string()).optional(),
    usage: z
      .object({
        inputTokens: z.int(),
        outputTokens: z.int(),
        costUsd: z.number().optional().describe("With the search's; absent where the model's price is not known"),
      })
      .describe('Tokens of the model that answers'),
    prompt: z.looseObject({}).optional(),
    ms: timesSchema,
  })
  .openapi('Answer');

const consideredSchema = z.object({ rank: z.int(), ...placeShape });

/** In the stream, `event` and `data` are lines of server-sent events. */
export const answerEventSchema = z
  .discriminatedUnion('event', [
    z.object({
      event: z.literal('search'),
      data: z.object({
        search: searchResponseSchema,
        considered: z.array(consideredSchema),
        dropped: z.array(z.looseObject({ source: z.string(), reason: z.string() })),
      }),
    }),
    z.object({ event: z.literal('text'), data: z.object({ text: z.string() }) }),
    z.object({ event: z.literal('citation'), data: citationSchema }),
    z.object({ event: z.literal('answer'), data: answerSchema }),
    z.object({
      event: z.literal('interrupted'),
      data: z.object({ answer: z.string(), citations: z.array(citationSchema), reason: z.string() }),
    }),
    z.object({
      event: z.literal('error'),
      data: z.object({ code: z.string(), message: z.string(), requestId: z.string() }),
    }),
  ])
  .openapi('AnswerEvent');

export const identitySchema = z
  .object({ id: z.string().regex(/^[0-9A-Z]{10}$/), name: z.string() })
  .openapi('KnowledgeBaseIdentity');

export const knowledgeBaseListSchema = z
  .object({ knowledgeBases: z.array(identitySchema), nextCursor: z.string().optional() })
  .openapi('KnowledgeBaseList');

export const newKnowledgeBaseSchema = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'must be 1 to 100 letters, digits, dots, - and _'),
    embedder: z.string().min(1).max(2_048).optional(),
    dimensions: z.int().min(1).max(16_384).optional(),
  })
  .openapi('NewKnowledgeBase', { example: { name: 'handbook' } });

export const statusSchema = z
  .object({
    knowledgeBase: identitySchema,
    documents: z.partialRecord(z.enum(documentStatuses), z.int()),
    failures: z.array(z.object({ source: z.string(), reason: z.string() })),
    chunks: z.int(),
    tokens: z.int(),
    embedder: z.object({
      name: z.string(),
      provider: z.string(),
      model: z.string(),
      dimensions: z.int(),
      normalised: z.boolean(),
      revision: z.string().optional(),
    }),
    index: z.object({
      kind: z.enum(['exact', 'hnsw', 'pgvector']),
      vectors: z.int(),
      pending: z.int().optional(),
      note: z.string().optional(),
    }),
    bytes: z.int(),
    generation: z.int(),
    createdAt: z.int(),
    queue: queueSchema.optional(),
    lastRun: runSummarySchema.extend({ finishedAt: z.int() }).optional(),
  })
  .openapi('KnowledgeBaseStatus');

export const documentSchema = z
  .object({
    id: z.string(),
    source: z.string(),
    uri: z.string(),
    mediaType: z.string(),
    title: z.string(),
    status: z.enum(documentStatuses),
    statusReason: z.string().optional(),
    pageCount: z.int().optional(),
    chunkCount: z.int(),
    bytes: z.int(),
    metadata: metadataSchema,
    indexedAt: z.int(),
  })
  .loose()
  .openapi('Document');

export const wholeDocumentSchema = documentSchema
  .extend({
    content: z.looseObject({
      text: z.string(),
      pages: z.array(z.object({ page: z.int(), start: z.int(), end: z.int() })),
    }),
    chunks: z.array(
      z.looseObject({
        id: z.string(),
        ...chunkShape,
        tokens: z.int(),
      }),
    ),
  })
  .openapi('WholeDocument');

export const documentListSchema = z
  .object({ documents: z.array(documentSchema), nextCursor: z.string().optional() })
  .openapi('DocumentList');

export const documentListQuerySchema = pageQuerySchema.extend({
  status: z.enum(documentStatuses).optional(),
});

/** A text is at most as long as one request may be. */
export const inlineDocumentsSchema = z
  .strictObject({
    documents: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(1_024).describe('A file name, whose ending says what it is; it may have folders'),
          text: z.string(),
          metadata: metadataSchema.optional(),
        }),
      )
      .min(1)
      .max(1_000),
  })
  .openapi('InlineDocuments', {
    example: { documents: [{ name: 'notes/leave.md', text: '# Leave\n52 weeks.', metadata: { country: 'JP' } }] },
  });

export const uploadedSchema = z
  .object({
    job: jobSchema,
    kept: z.array(z.string()).describe('Names of the documents, as they are in their "source"'),
    refused: z.array(z.object({ name: z.string(), reason: z.string() })),
  })
  .openapi('Uploaded');

export const problemSchema = z
  .object({ error: z.object({ code: z.string(), message: z.string(), requestId: z.string() }) })
  .openapi('Problem');
