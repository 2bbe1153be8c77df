import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** One request that was made to a model. */
export interface LoggedPrompt {
  readonly accessKeyId: string;
  readonly requestId: string;
  readonly operation: string;
  readonly modelId: string;
  readonly body: Uint8Array;
}

export interface PromptLog {
  keep(prompt: LoggedPrompt): Promise<void>;
}

/** What is asked, one line of JSON a request, in a file for each key that only the server's user may read. */
export function createPromptLog(folder: string): PromptLog {
  const made = mkdir(folder, { recursive: true, mode: 0o700 });
  made.catch(() => {});
  return {
    async keep({ accessKeyId, body, ...prompt }) {
      await made;
      const text = new TextDecoder().decode(body);
      const line = JSON.stringify({ at: new Date().toISOString(), ...prompt, body: text });
      await appendFile(join(folder, `${accessKeyId}.jsonl`), `${line}\n`, { mode: 0o600 });
    },
  };
}
