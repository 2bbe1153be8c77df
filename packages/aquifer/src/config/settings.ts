import { maxSearchLimit } from '@aquifer/contracts';
import {
  choice,
  integer,
  nameList,
  nameMap,
  number,
  type SettingKind,
  text,
  textList,
  toggle,
} from './setting-kinds.js';

export interface Setting<Value> {
  readonly kind: SettingKind<Value>;
  readonly description: string;
  readonly fallback?: NoInfer<Value>;
  /** Never printed, and not accepted as a flag: flags can be seen by every user of the machine. */
  readonly secret?: boolean;
  /** What other tools call it in the environment; our own variable wins. */
  readonly alsoVariable?: string;
}

const setting = <Value>(definition: Setting<Value>): Setting<Value> => definition;

/** Every setting, under its name in `aquifer.config.json`. `chunkTokens` is also `--chunk-tokens` and `AQUIFER_CHUNK_TOKENS`. */
export const settings = {
  kb: setting({
    kind: text,
    fallback: '.aquifer',
    description: 'the knowledge base: a folder, or postgres://user@host/database?name=handbook',
  }),
  kbPasswordFile: setting({ kind: text, description: 'a file that holds the password of the database in kb' }),
  embedder: setting({
    kind: text,
    description:
      'builtin, onnx:<folder or hub id>, an id of Amazon Bedrock, ollama:<model>, openai:<model> or sagemaker:<endpoint>; default: the one the index was built with, else builtin',
  }),
  dimensions: setting({
    kind: integer(1, 16_384),
    description: "of an embedder that has a choice; default: what the index was built with, else the model's own",
  }),
  model: setting({
    kind: text,
    fallback: 'builtin',
    description:
      'who answers: builtin (quotes, does not reason), an id of Amazon Bedrock, ollama:<model>, openai:<model> or sagemaker:<endpoint>',
  }),
  reranker: setting({
    kind: text,
    description: 'who puts the best passages in order: an id of Amazon Bedrock, or onnx:<folder>; default: nobody',
  }),
  openaiBaseUrl: setting({ kind: text, description: "a server that speaks OpenAI's API; default: OpenAI's own" }),
  openaiApiKey: setting({
    kind: text,
    secret: true,
    alsoVariable: 'OPENAI_API_KEY',
    description: 'the key for that server',
  }),
  ollamaUrl: setting({
    kind: text,
    alsoVariable: 'OLLAMA_HOST',
    description: 'where Ollama answers; default: http://127.0.0.1:11434',
  }),
  modelContextTokens: setting({
    kind: integer(512, 10_000_000),
    description: 'tokens that prompt and answer may have together; default: what is known of the model, else 8192',
  }),
  requestsPerMinute: setting({
    kind: integer(1, 10_000_000),
    description: "the embedder's quota of requests; default: found out",
  }),
  tokensPerMinute: setting({
    kind: integer(1, 10_000_000_000),
    description: "the embedder's quota of tokens; default: found out",
  }),
  modelTimeoutSeconds: setting({
    kind: number(0.1, 86_400),
    description:
      'longest time for one request to a model elsewhere, waiting and retries included; default 120, and 30 where it is away',
  }),
  limit: setting({
    kind: integer(1, maxSearchLimit),
    description: 'passages to find; default 10 for search, 8 for ask',
  }),
  mode: setting({
    kind: choice(['hybrid', 'dense', 'keyword']),
    fallback: 'hybrid',
    description: 'which legs of the search run',
  }),
  fusion: setting({
    kind: choice(['convex', 'rrf']),
    fallback: 'convex',
    description: 'how the two legs become one ranking',
  }),
  denseWeight: setting({
    kind: number(0, 1),
    description: "share of the dense leg in convex fusion; default: the embedder's own",
  }),
  chunkTokens: setting({
    kind: integer(64, 8192),
    description: 'most tokens of a chunk; default: what the index was built with, else 512 or what the embedder takes',
  }),
  chunkOverlap: setting({
    kind: integer(0, 2048),
    description: 'tokens that a chunk repeats of the one before it; default: what the index was built with, else 0',
  }),
  include: setting({
    kind: textList,
    description: 'globs of the files to take; default: what the folder was indexed with, else all',
  }),
  exclude: setting({
    kind: textList,
    description: 'globs of the files and folders to leave out; default: what the folder was indexed with, else none',
  }),
  maxDelete: setting({
    kind: number(0, 100),
    fallback: 50,
    description: 'percent of the documents that one run may delete',
  }),
  threads: setting({ kind: integer(1, 64), description: 'threads that read files; default: one a processor core' }),
  readTimeoutSeconds: setting({
    kind: number(0.1, 86_400),
    fallback: 60,
    description: 'longest time for reading one file',
  }),
  readMemoryMb: setting({
    kind: integer(64, 65_536),
    fallback: 512,
    description: 'most memory that reading one file may take',
  }),
  maxFileMb: setting({ kind: number(0.001, 4_096), fallback: 256, description: 'larger files are not read' }),
  ocr: setting({
    kind: toggle,
    description: 'read pictures and scanned pages too; default: as the index was built, else no',
  }),
  ocrLanguages: setting({
    kind: nameList,
    description: 'languages of OCR, such as eng and jpn; default: those of the index, else both',
  }),
  passwordFile: setting({ kind: text, description: 'a file of passwords for encrypted documents, one a line' }),
  indexKind: setting({
    kind: choice(['auto', 'exact', 'hnsw']),
    fallback: 'auto',
    description: 'hnsw keeps a graph, for more than 200,000 chunks; auto uses one that is there, exact none',
  }),
  encryptionKey: setting({ kind: text, secret: true, description: 'encrypts the index; needed to open it again' }),
  host: setting({ kind: text, fallback: '127.0.0.1', description: 'the address that `aquifer serve` listens on' }),
  port: setting({ kind: integer(0, 65_535), fallback: 8420, description: 'its port; 0 takes any free one' }),
  modelMap: setting({
    kind: nameMap,
    description:
      'who answers for which model of Bedrock (an id, or a beginning with *): builtin, another model by name, or bedrock for the real one; default: builtin for all',
  }),
  uploads: setting({
    kind: text,
    description:
      'the folder where the service keeps files that are sent to it; default: beside the index, unless that is encrypted',
  }),
  externalSources: setting({
    kind: textList,
    description:
      'objects in S3, or prefixes of them (s3://bucket/prefix), that RetrieveAndGenerate may name as external sources; default: none',
  }),
  dataSources: setting({
    kind: textList,
    description:
      'buckets in S3, or prefixes of them (s3://bucket/prefix), that data sources of knowledge bases may be made of; default: none',
  }),
  keyFile: setting({ kind: text, description: 'a file of the access keys that requests must be signed with' }),
  faults: setting({
    kind: text,
    description: 'trouble on purpose, such as throttle=50, error=ThrottlingException:0.1, latency=100',
  }),
  faultsByHeader: setting({
    kind: toggle,
    description: 'callers may ask for faults in a header; default: yes, unless the real Bedrock is behind it',
  }),
  promptLog: setting({
    kind: text,
    description: 'a folder that keeps what is asked, a file a key; default: nothing is',
  }),
  auditLog: setting({
    kind: text,
    description:
      'a folder that keeps who did what with which knowledge base and which documents went out, a file a day; default: nothing is',
  }),
  auditText: setting({
    kind: toggle,
    description: 'questions, answers and passages are kept in the audit log too; default: no',
  }),
  requestLog: setting({
    kind: text,
    description: 'a file that gets a line of JSON for each request, without any text of documents; - for stderr',
  }),
  concurrency: setting({
    kind: integer(1, 256),
    fallback: 4,
    description: 'documents that a worker has in work at a time',
  }),
  tenant: setting({
    kind: textList,
    description: 'whose documents a worker takes; default: those of all tenants',
  }),
  metricsPort: setting({
    kind: integer(0, 65_535),
    description: 'where a worker answers GET /metrics; 0 takes any free port; default: nowhere',
  }),
  deadAfterSeconds: setting({
    kind: number(1, 3_600),
    fallback: 20,
    description: 'a worker that gave no sign for so long is dead, and its documents go to others',
  }),
  maxAttempts: setting({
    kind: integer(1, 100),
    fallback: 4,
    description: 'failures, or deaths of workers, after which workers give a document up',
  }),
  encryptionKeyFile: setting({ kind: text, description: 'a file that holds the encryption key' }),
};

type Definitions = typeof settings;
export type SettingName = keyof Definitions;
type ValueOf<Definition> = Definition extends { kind: SettingKind<infer Value> } ? Value : never;

/** A checked value for every setting that has one. */
export type SettingValues = { readonly [Name in SettingName]?: ValueOf<Definitions[Name]> };

export const settingNames = Object.keys(settings) as SettingName[];

const words = (name: string, separator: string) => name.replace(/[A-Z]/g, (letter) => separator + letter.toLowerCase());

/** `chunkTokens` → `chunk-tokens` */
export const flagOf = (name: SettingName): string => words(name, '-');
/** `chunkTokens` → `AQUIFER_CHUNK_TOKENS` */
export const variableOf = (name: SettingName): string => `AQUIFER_${words(name, '_').toUpperCase()}`;

/** JSON Schema (2020-12) of `aquifer.config.json`. */
export function configurationSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'aquifer.config.json',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { type: 'string' },
      ...Object.fromEntries(
        settingNames.map((name) => {
          const { kind, description, fallback } = settings[name] as Setting<unknown>;
          return [name, { description, ...kind.schema, ...(fallback === undefined ? {} : { default: fallback }) }];
        }),
      ),
    },
  };
}
