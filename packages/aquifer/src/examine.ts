import { isAquiferError } from '@aquifer/contracts';
import { placeOf } from './open-store.js';

export interface ExamineOptions {
  /** The folder of the index, or the address of a database. */
  readonly location: string;
  readonly encryptionKey?: string;
  /** Languages that text recognition should know. Default: English and Japanese. */
  readonly ocrLanguages?: readonly string[];
}

/** One thing that was looked at. */
export interface Finding {
  readonly name:
    | 'Node.js'
    | 'SQLite'
    | 'encryption'
    | 'graph'
    | 'exact search'
    | 'ONNX models'
    | 'Bedrock'
    | 'OCR'
    | 'page pictures'
    | 'index'
    | 'tenants'
    | 'writer'
    | 'disk';
  /** `limited`: something optional is missing, and the rest works without. `failed`: nothing works. */
  readonly status: 'ok' | 'limited' | 'failed';
  readonly found: string;
  /** What mends it. */
  readonly fix?: string;
}

export interface Examination {
  /** Whether folders can be indexed and questions answered: no finding says `failed`. */
  readonly works: boolean;
  readonly findings: readonly Finding[];
}

const oldestNode = [20, 19] as const;
/** Less room than this, and indexing will soon stop. */
const littleRoomBytes = 100e6;
/** Where there are none, the SDK asks for those of an instance, which takes its time. */
const credentialsTimeoutMs = 3_000;
const rebuild = (name: string): string =>
  `npm rebuild ${name} --ignore-scripts=false (needs a C++ compiler, make and Python 3)`;

/**
 * What works on this machine and what does not, each with what mends it: the runtime, the native and optional parts, and
 * the index, every page of which is checked. Changes nothing.
 *
 * @example
 * const { works, findings } = await examine({ location: './.aquifer' });
 * for (const { name, found, fix } of findings) console.log(name, found, fix ?? '');
 */
export async function examine(options: ExamineOptions): Promise<Examination> {
  const findings = [
    examineNode(),
    ...(await examineStore()),
    ...(await examineModels(options)),
    await examineBedrock(),
    ...(await examineIndex(options)),
  ];
  return { works: findings.every(({ status }) => status !== 'failed'), findings };
}

function examineNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const found = `${process.versions.node} on ${process.platform} ${process.arch}`;
  const isRecent = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  return isRecent
    ? { name: 'Node.js', status: 'ok', found }
    : {
        name: 'Node.js',
        status: 'failed',
        found,
        fix: `install Node.js ${oldestNode.join('.')} or newer, 24 for example`,
      };
}

async function examineStore(): Promise<Finding[]> {
  const { storeAbilities } = await import('@aquifer/local-store/store-abilities');
  const { sqlite, encryption, graph, vectorInstructions } = storeAbilities();
  return [
    sqlite === undefined
      ? {
          name: 'SQLite',
          status: 'failed',
          found: 'none: the addon is not built, and this Node.js has no node:sqlite',
          fix: `install Node.js 24, which brings SQLite; or ${rebuild('better-sqlite3-multiple-ciphers')}`,
        }
      : { name: 'SQLite', status: 'ok', found: `${sqlite.version}, by ${sqlite.driver}` },
    encryption
      ? { name: 'encryption', status: 'ok', found: 'an index can be encrypted' }
      : {
          name: 'encryption',
          status: 'limited',
          found: 'an index cannot be encrypted: better-sqlite3-multiple-ciphers is not built',
          fix: rebuild('better-sqlite3-multiple-ciphers'),
        },
    vectorInstructions
      ? { name: 'exact search', status: 'ok', found: "with the processor's vector instructions" }
      : {
          name: 'exact search',
          status: 'limited',
          found: 'without vector instructions: some ten times slower on large indexes',
          fix: 'run Node.js without --jitless, on a processor with SSE 4.1 or NEON',
        },
    graph
      ? { name: 'graph', status: 'ok', found: 'hnswlib-node, for indexes of more than 200,000 chunks' }
      : {
          name: 'graph',
          status: 'limited',
          found: 'hnswlib-node is not built: every search is exact, and slower beyond 200,000 chunks',
          fix: rebuild('hnswlib-node'),
        },
  ];
}

async function examineModels({ ocrLanguages = ['eng', 'jpn'] }: ExamineOptions): Promise<Finding[]> {
  const { loadTransformers } = await import('@aquifer/models/load-transformers');
  const { findOptionalParts } = await import('@aquifer/documents/optional-parts');
  const problem = await loadTransformers().then(
    () => undefined,
    (error: Error) => error.message,
  );
  const { recognitionProblem, canvas } = await findOptionalParts(ocrLanguages);
  return [
    problem === undefined
      ? {
          name: 'ONNX models',
          status: 'ok',
          found: 'the built-in embedder, and ONNX models by @huggingface/transformers',
        }
      : {
          name: 'ONNX models',
          status: 'limited',
          found: `the built-in embedder only: ${beforeCommand(problem)}`,
          fix: 'ONNXRUNTIME_NODE_INSTALL=skip npm install @huggingface/transformers',
        },
    recognitionProblem === undefined
      ? { name: 'OCR', status: 'ok', found: `by tesseract.js: ${ocrLanguages.join(', ')}` }
      : {
          name: 'OCR',
          status: 'limited',
          found: 'pictures and scanned pages cannot be read',
          fix: recognitionProblem.slice(recognitionProblem.indexOf('npm install')),
        },
    canvas
      ? { name: 'page pictures', status: 'ok', found: 'pages of PDF can be drawn for OCR, by @napi-rs/canvas' }
      : {
          name: 'page pictures',
          status: 'limited',
          found: 'no @napi-rs/canvas: OCR reads pages that are one picture, and not drawn ones',
          fix: 'npm install @napi-rs/canvas',
        },
  ];
}

/** Whether there is a region and credentials, by the AWS SDK's own rules; asks no model. */
async function examineBedrock(): Promise<Finding> {
  const { bedrockClient } = await import('@aquifer/models/bedrock-client');
  const { config } = await bedrockClient();
  const within = async <Value>(asked: () => Promise<Value>): Promise<Value | undefined> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, credentialsTimeoutMs, undefined);
    });
    try {
      return await Promise.race([asked().catch(() => undefined), late]);
    } finally {
      clearTimeout(timer);
    }
  };
  const region = await within(async () => config.region());
  const credentials = await within(async () => config.credentials());
  if (region !== undefined && credentials !== undefined) {
    return {
      name: 'Bedrock',
      status: 'ok',
      found: `credentials (${masked(credentials.accessKeyId)}), region ${region}`,
    };
  }
  const missing = [region === undefined && 'region', credentials === undefined && 'credentials'].filter(Boolean);
  return {
    name: 'Bedrock',
    status: 'limited',
    found: `no AWS ${missing.join(' and no ')}: models on this machine only`,
    fix: 'set AWS_REGION and AWS_PROFILE, or whatever else the AWS SDK looks for',
  };
}

const masked = (accessKeyId: string): string => `${accessKeyId.slice(0, 4)}…${accessKeyId.slice(-4)}`;

/** Whether the database answers and has what a shared index needs, and keeps tenants apart. */
async function examineDatabase(location: string, shown: string): Promise<Finding[]> {
  const [{ examineTenantProtection, openPostgresStore }, { createAnalyser }] = await Promise.all([
    import('@aquifer/postgres-store'),
    import('@aquifer/text-analysis'),
  ]);
  try {
    const store = await openPostgresStore({ location, mode: 'read', analyser: createAnalyser() });
    try {
      const { chunks } = await store.stats();
      const openly = await examineTenantProtection(location);
      return [
        { name: 'index', status: 'ok', found: `${shown} answers, and has ${chunks} chunks` },
        openly === undefined
          ? { name: 'tenants', status: 'ok', found: 'the database shows this role the rows of its tenant only' }
          : { name: 'tenants', status: 'limited', found: openly, fix: 'do what the message says' },
      ];
    } finally {
      await store.close();
    }
  } catch (error) {
    if (isAquiferError(error, 'index-not-found')) {
      return [{ name: 'index', status: 'ok', found: error.message, fix: `npx aquifer index <folder> --kb ${shown}` }];
    }
    const found = error instanceof Error ? error.message : String(error);
    return [{ name: 'index', status: 'failed', found, fix: 'do what the message says' }];
  }
}

async function examineIndex({ location, encryptionKey }: ExamineOptions): Promise<Finding[]> {
  const { kind, shown: folder } = placeOf(location);
  if (kind === 'database') return examineDatabase(location, folder);
  const { inspectIndex } = await import('@aquifer/local-store/inspect-index');
  const { state, problems, writer, freeBytes } = inspectIndex({
    location,
    ...(encryptionKey === undefined ? {} : { encryptionKey }),
  });
  const findings: Finding[] = [];
  if (state === 'missing') {
    findings.push({ name: 'index', status: 'ok', found: `none in ${folder} yet`, fix: 'npx aquifer index <folder>' });
  } else if (state === 'sound') {
    findings.push({ name: 'index', status: 'ok', found: `${folder} opens, and every page of it is sound` });
  } else {
    findings.push({
      name: 'index',
      status: 'failed',
      found: `${state === 'damaged' ? `${folder} is damaged: ` : ''}${problems.join('; ')}`,
      fix: 'do what the message says; or move the folder away and index again',
    });
  }
  if (writer !== undefined) findings.push({ name: 'writer', status: 'ok', found: `being written by ${writer}` });
  if (freeBytes !== undefined) {
    const found = `${(freeBytes / 1e9).toFixed(1)} GB free`;
    const isLittle = freeBytes < littleRoomBytes;
    findings.push(
      isLittle
        ? {
            name: 'disk',
            status: 'limited',
            found,
            fix: 'make room: an index takes about as much as its documents, and a run of indexing more',
          }
        : { name: 'disk', status: 'ok', found },
    );
  }
  return findings;
}

/** The message of an error without the command at its end, which is shown apart. */
const beforeCommand = (message: string): string => message.split(/[.] Run: /, 1)[0] as string;
