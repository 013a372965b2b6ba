/** A response with a 2xx status. An empty body is undefined. */
export interface ApiResponse {
  readonly account: string;
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
}

/** A file from the API. The body can be read once, by one of `body`, `bytes` and `text`. */
export interface Download {
  readonly contentType: string | undefined;
  readonly body: ReadableStream<Uint8Array>;
  readonly bytes: () => Promise<Uint8Array>;
  readonly text: () => Promise<string>;
}
