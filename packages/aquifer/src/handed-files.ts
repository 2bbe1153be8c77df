import type { SourceContent } from '@aquifer/contracts';
import { parseSidecar } from '@aquifer/documents';
import {
  connectS3,
  type HandedWork,
  isS3Location,
  readFolderItem,
  readS3Item,
  type S3Connection,
} from '@aquifer/ingestion';

/** Reads files and objects that another process has listed. */
export interface HandedFiles {
  /** @throws `source-not-found` where the whole folder or bucket is not there, `source-unreadable`, `source-changed`, `credentials-refused` */
  read(handed: HandedWork, signal: AbortSignal): Promise<SourceContent>;
  close(): void;
}

export function createHandedFiles(s3: S3Connection | undefined): HandedFiles {
  let connecting: ReturnType<typeof connectS3> | undefined;
  return {
    async read(handed, signal) {
      const { sourceId, item, maxDocumentBytes } = handed;
      if (!isS3Location(sourceId)) return readFolderItem(handed, parseSidecar, signal);
      connecting ??= connectS3(s3);
      return readS3Item(item, { client: await connecting, parseSidecar, maxBytes: maxDocumentBytes }, signal);
    },
    close() {
      if (s3?.client === undefined) connecting?.then((client) => client.destroy()).catch(() => {});
    },
  };
}
