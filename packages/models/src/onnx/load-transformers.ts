import { AquiferError } from '@aquifer/contracts';

type Transformers = typeof import('@huggingface/transformers');

const packageName = '@huggingface/transformers';

/**
 * The optional package that runs the models.
 *
 * @param specifier For tests: another package to import.
 * @throws `missing-dependency` with the command that installs it.
 */
export async function loadTransformers(specifier: string = packageName): Promise<Transformers> {
  try {
    return (await import(specifier)) as Transformers;
  } catch (error) {
    const missing = (error as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND';
    throw new AquiferError(
      'missing-dependency',
      `ONNX models need the package ${packageName}, which ${missing ? 'is not installed' : `cannot be loaded (${firstLine(error)})`}. ` +
        `Run: ONNXRUNTIME_NODE_INSTALL=skip npm install ${packageName} (the variable leaves out the download of GPU libraries).`,
      { cause: error },
    );
  }
}

/** Errors of native add-ons bring a screenful of search paths. */
function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]!;
}
