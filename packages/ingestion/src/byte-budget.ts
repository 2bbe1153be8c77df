/** Files of these types are ZIP files of XML. */
const zipped = /^application\/(?:vnd\.openxmlformats-officedocument\.|vnd\.oasis\.opendocument\.|epub\+zip$)/;
/** What a ZIP file holds has about so many times its bytes; XML has more, pictures fewer. */
const unpacked = 4;

/** About how many bytes of a file are in memory while it is read, before anything is made of them. */
export function bytesInFlight(bytes: number, mediaType: string | undefined): number {
  return zipped.test(mediaType ?? '') ? bytes * unpacked : bytes;
}

/** Lets work in while its bytes fit under a limit; the rest waits in order of arrival. */
export interface ByteBudget {
  /** Resolves when there is room. One piece larger than the whole budget is let in alone. */
  take(bytes: number): Promise<void>;
  give(bytes: number): void;
}

export function createByteBudget(maxBytes: number): ByteBudget {
  let used = 0;
  const waiting: { readonly bytes: number; readonly enter: () => void }[] = [];
  const fits = (bytes: number) => used === 0 || used + bytes <= maxBytes;

  return {
    take(bytes) {
      if (waiting.length === 0 && fits(bytes)) {
        used += bytes;
        return Promise.resolve();
      }
      return new Promise((resolve) => waiting.push({ bytes, enter: resolve }));
    },
    give(bytes) {
      used -= bytes;
      for (let next = waiting[0]; next && fits(next.bytes); next = waiting[0]) {
        waiting.shift();
        used += next.bytes;
        next.enter();
      }
    },
  };
}
