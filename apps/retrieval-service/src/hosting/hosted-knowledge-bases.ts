import type {
  AskCall,
  GroundedEvent,
  KnowledgeBaseBackend,
  ModelBackend,
  RetrieveCall,
  RetrievedPassage,
} from '@aquifer/bedrock-wire';
import { AquiferError } from '@aquifer/contracts';
import type { AnswerEvent, AskOptions, SearchMatch } from 'aquifer';
import type { Session, SessionStore } from '../sessions/session-store.js';
import { type ExternalDocuments, externalDocumentsId } from './external-documents.js';
import type { HostedKnowledgeBase, KnowledgeBaseHost } from './knowledge-base-host.js';

export interface HostedKnowledgeBasesOptions {
  readonly host: KnowledgeBaseHost;
  readonly tenant: string;
  readonly sessions: SessionStore;
  readonly externalDocuments: ExternalDocuments;
  /** Ranks passages by a model of Bedrock's name. */
  readonly rerank: ModelBackend['rerank'];
  /** What answers for a model of Bedrock's name, in the library's names. */
  readonly modelName: (modelId: string) => string;
}

/** Knowledge bases of one tenant, behind the API of Bedrock Knowledge Bases. */
export function createHostedKnowledgeBases({
  host,
  tenant,
  sessions,
  externalDocuments,
  rerank,
  modelName,
}: HostedKnowledgeBasesOptions): KnowledgeBaseBackend {
  function find(idOrArn: string): Promise<HostedKnowledgeBase> {
    const id = /^arn:[^:]*:bedrock:[^:]*:[^:]*:knowledge-base\/([0-9A-Za-z]+)$/.exec(idOrArn)?.[1] ?? idOrArn;
    if (/^[0-9A-Za-z]{1,10}$/.test(id)) return host.get(tenant, id);
    throw new AquiferError(
      'invalid-options',
      `1 validation error detected: Value '${idOrArn.slice(0, 80)}' at 'knowledgeBaseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9a-zA-Z]+`,
    );
  }

  function sessionOf(knowledgeBaseId: string, id: string | undefined): Session {
    if (id === undefined) return sessions.begin(tenant, knowledgeBaseId);
    const session = sessions.find(tenant, knowledgeBaseId, id);
    if (session !== undefined) return session;
    throw new AquiferError(
      'invalid-options',
      `Session with Id ${JSON.stringify(id)} is not valid. Leave sessionId out to begin one: sessions are kept for a day, by the process that began them.`,
    );
  }

  function askOptions(call: AskCall, session: Session): AskOptions {
    const { modelId, temperature, topP, maxTokens, stopSequences, promptTemplate, signal } = call;
    return {
      conversation: session.turns,
      model: modelName(modelId),
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { topP }),
      ...(maxTokens !== undefined && { maxTokens }),
      ...(stopSequences && { stopSequences }),
      ...(promptTemplate !== undefined && { promptTemplate }),
      ...(signal && { signal }),
    };
  }

  async function retrieve(call: RetrieveCall): Promise<readonly RetrievedPassage[]> {
    const { knowledgeBaseId, query, limit, offset, mode, filter, reranker, signal } = call;
    const { reader } = await find(knowledgeBaseId);
    const { matches } = await reader.search(query, {
      limit: offset + limit,
      ...(mode && { mode }),
      ...(filter && { filter }),
      ...(signal && { signal }),
    });
    const found = matches.slice(offset).map(passageOf);
    if (reranker === undefined || found.length === 0) return found;
    const scores = await rerank({ modelId: reranker.modelId, query, texts: found.map(({ text }) => text), signal });
    return found
      .map((passage, index) => ({ ...passage, score: scores[index] ?? 0 }))
      .sort((a, b) => b.score - a.score)
      .slice(0, reranker.limit);
  }

  return {
    retrieve,
    async answer(call) {
      const { knowledgeBaseId, query, limit, mode, filter, reranker } = call;
      const { reader, id } = await find(knowledgeBaseId);
      const session = sessionOf(id, call.sessionId);
      const events = reader.ask(query, {
        ...askOptions(call, session),
        limit,
        ...(reranker && {
          // As many are ranked as were asked for, and the best of them go on.
          limit: Math.min(limit, reranker.limit),
          rerankedCandidates: limit,
          reranker: {
            id: reranker.modelId,
            rerank: (query, texts, { signal } = {}) => rerank({ modelId: reranker.modelId, query, texts, signal }),
          },
        }),
        ...(mode && { mode }),
        ...(filter && { filter }),
      });
      return { sessionId: session.id, events: groundedEvents(events, session) };
    },
    async answerFrom(call) {
      const session = sessionOf(externalDocumentsId, call.sessionId);
      async function* events(): AsyncGenerator<AnswerEvent> {
        const { ask, close } = await externalDocuments.open(call.document, call.signal);
        try {
          yield* ask(call.query, askOptions(call, session));
        } finally {
          await close();
        }
      }
      return { sessionId: session.id, events: groundedEvents(events(), session) };
    },
  };
}

async function* groundedEvents(events: AsyncIterable<AnswerEvent>, session: Session): AsyncIterable<GroundedEvent> {
  let matches: readonly SearchMatch[] = [];
  for await (const event of events) {
    if (event.type === 'search') matches = event.search.matches;
    if (event.type === 'answer') session.keep(event.answer);
    const sent = groundedEvent(event, matches);
    if (sent) yield sent;
  }
}

function passageOf(match: SearchMatch): RetrievedPassage {
  const { text, source, uri, documentId, chunkId, pageStart, score, metadata } = match;
  return {
    text,
    source,
    uri,
    documentId,
    chunkId,
    score,
    metadata,
    ...(pageStart !== undefined && { page: pageStart }),
  };
}

function groundedEvent(event: AnswerEvent, matches: readonly SearchMatch[]): GroundedEvent | undefined {
  if (event.type === 'text') return event;
  if (event.type !== 'citation') return undefined;
  const { start, end, references } = event.citation;
  const passages = references.map(({ documentId, source, quote, pageStart, ...place }): RetrievedPassage => {
    const ofDocument = matches.filter((each) => each.documentId === documentId);
    const match = ofDocument.find((each) => each.start <= place.start && each.end >= place.end);
    return {
      text: quote,
      source,
      documentId,
      metadata: ofDocument[0]?.metadata ?? {},
      ...(ofDocument[0] && { uri: ofDocument[0].uri }),
      ...(match && { chunkId: match.chunkId }),
      ...(pageStart !== undefined && { page: pageStart }),
    };
  });
  return { type: 'citation', start, end, passages };
}
