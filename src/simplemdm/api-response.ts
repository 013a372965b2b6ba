/** An answer with a 2xx status; the body is undefined when it is empty. */
export interface ApiResponse {
  readonly account: string;
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
}

/** A file that the API sends. Its body can be read once, by one of the three ways. */
export interface Download {
  readonly contentType: string | undefined;
  readonly body: ReadableStream<Uint8Array>;
  readonly bytes: () => Promise<Uint8Array>;
  readonly text: () => Promise<string>;
}
