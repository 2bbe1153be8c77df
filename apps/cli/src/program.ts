import { Command, Option } from 'commander';
import type { Context } from './context.js';

const version = '0.1.0';

const repeated = (value: string, before: readonly string[] | false | undefined): string[] => [...(before || []), value];

/** The command line: names, arguments and options. What each command does is in `commands/`, loaded when it is used. */
export function createProgram(context: Context): Command {
  const program = new Command('aquifer')
    .description(
      'Folders in, cited answers out. On this machine, with no account and no network, or with models of Amazon Bedrock.',
    )
    .version(version)
    .exitOverride()
    .showHelpAfterError('(aquifer --help lists the commands)')
    .configureOutput({
      writeOut: (text) => context.out.write(text),
      writeErr: (text) => context.err.write(text),
      getOutHelpWidth: () => context.out.columns,
      getErrHelpWidth: () => context.err.columns,
    });

  const command = (usage: string, description: string) =>
    program
      .command(usage)
      .description(description)
      .option('--kb <folder>', 'the knowledge base: a folder, or postgres://… (default: .aquifer)')
      .option('--config <file>', 'settings (default: aquifer.config.json, if there is one)')
      .option('--json', 'JSON on stdout, and nothing else');

  const searching = (each: Command) =>
    each
      .addOption(new Option('--mode <mode>', 'which legs run').choices(['hybrid', 'dense', 'keyword']))
      .addOption(new Option('--fusion <how>', 'how the legs become one ranking').choices(['convex', 'rrf']))
      .option('--dense-weight <0..1>', 'share of the dense leg')
      .option('--filter <json>', 'condition on metadata, such as {"equals":{"key":"country","value":"JP"}}')
      .option('--limit <n>', 'how many passages')
      .option('--explain', 'how each passage was found and what each stage took')
      .option('--embedder <name>', 'fails if the index was built with another')
      .option('--reranker <name>', 'who puts the best passages in order: a Bedrock id, or onnx:<folder>')
      .option('--model-timeout-seconds <n>', 'longest time for one request to a model elsewhere')
      .option('--openai-base-url <url>', "a server that speaks OpenAI's API")
      .option('--ollama-url <url>', 'where Ollama answers');

  command('index', 'bring the index up to date with files, folders and buckets')
    .argument('<path...>', 'files, folders, s3://bucket/prefix')
    .option('--embedder <name>', 'builtin, onnx:<folder or hub id>, a Bedrock id, ollama:…, openai:…, sagemaker:…')
    .option('--dimensions <n>', 'of an embedder that has a choice')
    .option('--requests-per-minute <n>', "the embedder's quota of requests")
    .option('--tokens-per-minute <n>', "the embedder's quota of tokens")
    .option('--model-timeout-seconds <n>', 'longest time for one request to a model elsewhere')
    .option('--openai-base-url <url>', "a server that speaks OpenAI's API")
    .option('--ollama-url <url>', 'where Ollama answers')
    .option('--re-embed', 'change to another embedder: embeds the stored text again, then replaces the index')
    .option('--include <glob>', 'take only these files (repeatable; remembered for the folder)', repeated)
    .option('--no-include', 'take all files again')
    .option('--exclude <glob>', 'leave these files and folders out (repeatable; remembered for the folder)', repeated)
    .option('--no-exclude', 'leave nothing out again')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--watch', 'keep the index up to date until Ctrl-C')
    .option('--max-delete <percent>', 'refuse to delete more of the documents than this (default: 50)')
    .option('--chunk-tokens <n>', 'most tokens of a chunk')
    .option('--chunk-overlap <n>', 'tokens repeated from the chunk before')
    .option('--threads <n>', 'threads that read files')
    .option('--read-timeout-seconds <n>', 'longest time for reading one file (default: 60)')
    .option('--read-memory-mb <n>', 'most memory that reading one file may take (default: 512)')
    .option('--max-file-mb <n>', 'larger files are not read (default: 256)')
    .option('--ocr', 'read pictures and scanned pages too (remembered for the index)')
    .option('--no-ocr', 'leave pictures and scans alone again')
    .option('--ocr-languages <names>', 'such as eng,jpn; each is a package @tesseract.js-data/<name>')
    .option('--password-file <file>', 'passwords for encrypted documents, one a line')
    .option('--index-kind <kind>', 'auto, exact or hnsw')
    .option('--no-workers', 'do the work here, even where workers of the database could')
    .option('--no-wait', 'leave the work to the workers of the database, and return')
    .action(async (paths, options) => (await import('./commands/index-command.js')).run(context, paths, options));

  searching(command('ask', 'answer a question, every sentence cited'))
    .argument('<question>')
    .option('--model <name>', 'who answers: builtin, a Bedrock id, ollama:…, openai:…, sagemaker:…')
    .option('--model-context-tokens <n>', 'what a model beside Bedrock takes, prompt and answer together')
    .option('--prompt-template <file>', 'a prompt of your own: $search_results$, $query$, $output_format_instructions$')
    .option('--session <name>', 'go on with the conversation of this name, or begin it')
    .option('--show-prompt', 'print exactly what the model is given')
    .action(async (question, options) => (await import('./commands/ask.js')).run(context, question, options));

  searching(command('search', 'ranked passages, no model'))
    .argument('<query>')
    .action(async (query, options) => (await import('./commands/search.js')).run(context, query, options));

  command('status', 'documents, failures with reasons, index, size').action(async (options) =>
    (await import('./commands/status.js')).run(context, options),
  );

  command('documents', 'list documents, or show one with its chunks')
    .argument('[id]')
    .action(async (id, options) => (await import('./commands/documents.js')).run(context, id, options));

  command('delete', 'delete documents from the index (their files stay)')
    .argument('<id...>')
    .action(async (ids, options) => (await import('./commands/delete.js')).run(context, ids, options));

  command('export', 'write the whole knowledge base into one file')
    .argument('<file>')
    .action(async (file, options) => (await import('./commands/move.js')).runExport(context, file, options));

  command('import', 'make a knowledge base out of such a file: in a new folder, or in a database')
    .argument('<file>')
    .option('--index-kind <kind>', 'auto, exact or hnsw')
    .action(async (file, options) => (await import('./commands/move.js')).runImport(context, file, options));

  command('serve', 'the HTTP API, and Amazon Bedrock on this machine: point AWS_ENDPOINT_URL_BEDROCK_RUNTIME at it')
    .option('--host <address>', 'the address to listen on (default: 127.0.0.1)')
    .option('--port <n>', 'the port (default: 8420; 0 takes any free one)')
    .option('--model-map <id=name>', 'who answers for a model, such as anthropic.*=builtin (repeatable)', repeated)
    .option('--uploads <folder>', 'where files that are sent are kept (default: beside the index)')
    .option('--data-sources <s3://…>', 'buckets that data sources may be made of (repeatable)', repeated)
    .option('--external-sources <s3://…>', 'objects that questions may name as their source (repeatable)', repeated)
    .option('--key-file <file>', 'access keys that requests must be signed with')
    .option('--faults <list>', 'trouble on purpose: throttle=50, latency=100, error=ThrottlingException:0.1, …')
    .option('--faults-by-header', 'callers may ask for faults in the header x-aquifer-fault')
    .option('--no-faults-by-header', 'they may not')
    .option('--prompt-log <folder>', 'keep what is asked, a file a key')
    .option('--audit-log <folder>', 'keep who did what with which documents, a file a day')
    .option('--audit-text', 'keep questions, answers and passages there too')
    .option('--request-log <file>', 'a line of JSON for each request, without text of documents (- for stderr)')
    .action(async (options) => (await import('./commands/serve.js')).run(context, options));

  command('mcp', 'tools for a model, by the Model Context Protocol on stdio: search, ask, get_document')
    .option('--model <name>', 'who answers: builtin, a Bedrock id, ollama:…, openai:…, sagemaker:…')
    .option('--model-context-tokens <n>', 'what a model beside Bedrock takes, prompt and answer together')
    .option('--embedder <name>', 'fails if the index was built with another')
    .option('--reranker <name>', 'who puts the best passages in order: a Bedrock id, or onnx:<folder>')
    .option('--openai-base-url <url>', "a server that speaks OpenAI's API")
    .option('--ollama-url <url>', 'where Ollama answers')
    .action(async (options) => (await import('./commands/mcp.js')).run(context, version, options));

  command('worker', 'take documents that index left to the workers of a database, until SIGTERM or Ctrl-C')
    .option('--concurrency <n>', 'documents at a time (default: 4)')
    .option('--tenant <name>', 'only documents of this tenant (repeatable; default: of all)', repeated)
    .option('--metrics-port <n>', 'answer GET /metrics there (0: any free port)')
    .option('--max-attempts <n>', 'failures after which a document is given up (default: 4)')
    .option('--dead-after-seconds <n>', 'when a worker that gives no sign is dead (default: 20)')
    .option('--embedder <name>', 'only of knowledge bases that were built with this one')
    .option('--threads <n>', 'threads that read files')
    .option('--requests-per-minute <n>', "the embedder's quota of requests")
    .option('--tokens-per-minute <n>', "the embedder's quota of tokens")
    .option('--model-timeout-seconds <n>', 'longest time for one request to a model elsewhere')
    .option('--openai-base-url <url>', "a server that speaks OpenAI's API")
    .option('--ollama-url <url>', 'where Ollama answers')
    .option('--password-file <file>', 'passwords for encrypted documents, one a line')
    .action(async (options) => (await import('./commands/worker.js')).run(context, options));

  const keys = program
    .command('keys')
    .description('keys of the HTTP API: whose they are, what they may do, until when');
  const keyCommand = (name: string, description: string) =>
    keys
      .command(name)
      .description(description)
      .option('--config <file>', 'settings (default: aquifer.config.json, if there is one)')
      .option('--json', 'JSON on stdout, and nothing else')
      .option('--key-file <file>', 'where keys are (default: .aquifer-keys.json)');
  keyCommand('create', 'make one, and show its secret this once')
    .option('--tenant <name>', 'whose knowledge bases it opens (default: default)')
    .option('--scopes <list>', 'of read, write, admin, model (default: read,write,model)')
    .option('--expires <period>', 'such as 12h, 90d, 4w, 1y (default: never)')
    .option('--description <text>', 'for people')
    .option('--limit-requests <n>', 'requests a minute')
    .option('--limit-tokens <n>', 'tokens of models a minute')
    .action(async (options) => (await import('./commands/keys.js')).create(context, options));
  keyCommand('list', 'all of them, never their secrets').action(async (options) =>
    (await import('./commands/keys.js')).list(context, options),
  );
  keyCommand('revoke', 'end one at once')
    .argument('<id>')
    .action(async (id, options) => (await import('./commands/keys.js')).revoke(context, id, options));

  command('config', 'every setting in force and where it came from').action(async (options) =>
    (await import('./commands/config.js')).run(context, options),
  );

  program
    .command('models')
    .description('models by id: limits, prices, what they can')
    .option('--json', 'JSON on stdout, and nothing else')
    .action(async (options) => (await import('./commands/models.js')).run(context, options));

  command('doctor', 'what works on this machine, what does not, and what mends it').action(async (options) =>
    (await import('./commands/doctor.js')).run(context, options),
  );

  return program;
}
