import {
  type ControlBackend,
  invalidRequest,
  type KnowledgeBaseCall,
  type KnowledgeBaseShape,
  WireException,
} from '@aquifer/bedrock-wire';
import { isAquiferError, parseBedrockModelId } from '@aquifer/contracts';
import type { HostedKnowledgeBase } from '../hosting/knowledge-base-host.js';
import {
  conflict,
  controlFolderOf,
  findKnowledgeBase,
  type KnowledgeBaseRecord,
  knowledgeBaseRecord,
} from './control-folder.js';
import type { ControlSurroundings } from './control-plane.js';
import { pageOfNamed } from './pages.js';

type Operations = Pick<
  ControlBackend,
  'createKnowledgeBase' | 'getKnowledgeBase' | 'listKnowledgeBases' | 'updateKnowledgeBase' | 'deleteKnowledgeBase'
>;

/** What one has to have on the wire that was not made by way of it. */
const unknownRole = 'arn:aws:iam::000000000000:role/aquifer';

export function knowledgeBaseOperations(surroundings: ControlSurroundings): Operations {
  const { host, tenant, now, modelName, idempotent } = surroundings;

  async function recordOf(knowledgeBase: HostedKnowledgeBase): Promise<KnowledgeBaseRecord> {
    const kept = await controlFolderOf(knowledgeBase)?.knowledgeBase.read(knowledgeBaseRecord);
    if (kept !== undefined) return kept;
    const { embedder, createdAt } = await knowledgeBase.reader.status();
    const model = parseBedrockModelId(embedder.name)?.id ?? embedder.name;
    const embeddingModelArn = /^[a-z]+:/.test(model)
      ? model
      : `arn:aws:bedrock:${surroundings.region}::foundation-model/${model}`;
    return {
      roleArn: unknownRole,
      knowledgeBaseConfiguration: { type: 'VECTOR', vectorKnowledgeBaseConfiguration: { embeddingModelArn } },
      createdAt,
      updatedAt: createdAt,
    };
  }

  async function keep(knowledgeBase: HostedKnowledgeBase, record: KnowledgeBaseRecord): Promise<void> {
    await controlFolderOf(knowledgeBase)?.knowledgeBase.write(knowledgeBaseRecord, record);
  }

  function shapeOf({ id, name }: HostedKnowledgeBase, record: KnowledgeBaseRecord): KnowledgeBaseShape {
    const { createdAt, updatedAt, ...kept } = record;
    return {
      ...kept,
      knowledgeBaseId: id,
      name,
      knowledgeBaseArn: `arn:aws:bedrock:${surroundings.region}:000000000000:knowledge-base/${id}`,
      status: 'ACTIVE',
      createdAt: new Date(createdAt).toISOString(),
      updatedAt: new Date(updatedAt).toISOString(),
    };
  }

  /** Undefined for one that somebody else has deleted since it was listed. */
  async function shapeOfListed(id: string): Promise<KnowledgeBaseShape | undefined> {
    try {
      const found = await host.get(tenant, id);
      return shapeOf(found, await recordOf(found));
    } catch (error) {
      if (isAquiferError(error, 'knowledge-base-not-found') || isAquiferError(error, 'index-not-found'))
        return undefined;
      throw error;
    }
  }

  async function create(call: KnowledgeBaseCall): Promise<KnowledgeBaseShape> {
    const { name, dimensions, embeddingModelArn } = call;
    const present = await host.list(tenant);
    if (present.some((each) => each.name === name)) {
      throw conflict(`There is a knowledge base of the name ${name} already.`);
    }
    if (present.length >= (host.most ?? Number.POSITIVE_INFINITY)) {
      throw new WireException({
        name: 'ServiceQuotaExceededException',
        message: `This service has room for ${host.most} knowledge base, which is there: ${present[0]?.name}. One that serves a database (--kb postgres://…) has any number.`,
      });
    }
    const embedder = modelName(embeddingModelArn);
    const made = await host.create(
      tenant,
      // A model that stands for no other is answered for by the service's own embedder, as it is set up.
      embedder === 'builtin' ? { name } : { name, embedder, ...(dimensions && { dimensions }) },
    );
    const at = now();
    const record = { ...keptOf(call), createdAt: at, updatedAt: at };
    await keep(made, record);
    return shapeOf(made, record);
  }

  return {
    createKnowledgeBase: ({ clientToken, ...call }) =>
      idempotent(clientToken && `knowledge base ${tenant} ${clientToken}`, () => create(call)),
    async getKnowledgeBase(id) {
      const found = await findKnowledgeBase(host, tenant, id);
      return shapeOf(found, await recordOf(found));
    },
    async listKnowledgeBases(page) {
      const { items, ...rest } = pageOfNamed(byName(await host.list(tenant)), page);
      const summaries = [];
      for (const { id } of items) {
        const shape = await shapeOfListed(id);
        if (shape === undefined) continue;
        const { knowledgeBaseId, name, description, status, updatedAt } = shape;
        summaries.push({ knowledgeBaseId, name, status, updatedAt, ...(description !== undefined && { description }) });
      }
      return { items: summaries, ...rest };
    },
    async updateKnowledgeBase(id, call) {
      const found = await findKnowledgeBase(host, tenant, id);
      const before = await recordOf(found);
      if (call.name !== found.name) {
        throw invalidRequest(`A knowledge base cannot be given another name: this one is ${found.name}.`);
      }
      if (modelOf(call.knowledgeBaseConfiguration) !== modelOf(before.knowledgeBaseConfiguration)) {
        throw invalidRequest('The knowledgeBaseConfiguration of a knowledge base cannot change: make another one.');
      }
      const record = { ...keptOf(call), createdAt: before.createdAt, updatedAt: now() };
      await keep(found, record);
      return shapeOf(found, record);
    },
    async deleteKnowledgeBase(id) {
      const found = await findKnowledgeBase(host, tenant, id);
      await surroundings.leave(found);
      await host.delete(tenant, found.id);
    },
  };
}

const byName = <Item extends { readonly name: string }>(items: readonly Item[]): readonly Item[] =>
  [...items].sort((a, b) => (a.name < b.name ? -1 : 1));

function keptOf({
  description,
  roleArn,
  knowledgeBaseConfiguration,
  storageConfiguration,
}: Omit<KnowledgeBaseCall, 'clientToken'>) {
  return {
    roleArn,
    knowledgeBaseConfiguration,
    ...(description !== undefined && { description }),
    ...(storageConfiguration && { storageConfiguration }),
  };
}

function modelOf(configuration: object): string | undefined {
  const { vectorKnowledgeBaseConfiguration: vector } = configuration as {
    readonly vectorKnowledgeBaseConfiguration?: { readonly embeddingModelArn?: string };
  };
  return vector?.embeddingModelArn;
}
