/** An answer that the exchange takes as it is. The platform's `Response` would make a stream of it that is read again at once, and check each header. */
export class ReadyAnswer {
  readonly content: string | AsyncIterable<string>;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** @param content JSON, or the chunks of a stream. @param headers With names in lower case. */
  constructor(content: string | AsyncIterable<string>, status: number, headers: Readonly<Record<string, string>>) {
    this.content = content;
    this.status = status;
    this.headers = headers;
  }
}
