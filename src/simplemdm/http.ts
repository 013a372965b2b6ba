import type { ApiResponse, Download } from './api-response.js';
import { recordCall } from './call-recorder.js';
import type { ApiCall } from '../http/api-call.js';
import { requestSignal } from '../http/request-signal.js';
import type { RequestSignal } from '../http/request-signal.js';
import { SimpleMdmError } from './errors.js';
import { parseJson, errorFromResponse, errorFromNoResponse } from './error-mapping.js';
import type { CallIdentity } from './error-mapping.js';
import { requestBody } from './request.js';
import type { ApiRequest } from './request.js';
import { shownBody } from './secrets.js';
import { upload } from './upload.js';

/** How to make calls to one account. */
export interface HttpOptions {
  readonly account: string;
  readonly apiKey: string;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** How long an answer may take. Uploads have no limit of their own: nobody knows how large the file is. */
  readonly timeoutMs: number;
  /** Whether answers keep the secrets of devices; otherwise they are left out as the answer is read. */
  readonly revealSecrets: boolean;
  readonly now: () => number;
  /** Aborted when the process stops: calls in flight are broken off. */
  readonly signal?: AbortSignal;
  /** Told of every call that was really made. */
  readonly onCall?: (call: ApiCall) => void;
}

/** Makes one try of a call, with nothing around it. */
export interface Exchange {
  readonly call: (request: ApiRequest, path: string) => Promise<ApiResponse>;
  readonly download: (request: ApiRequest, path: string) => Promise<Download>;
}

/**
 * HTTP with the API: Basic authentication with the key as user name (API reference, Authentication), time limits, error
 * bodies, secrets removed. Connections are kept alive by Node's fetch.
 */
export function createExchange(options: HttpOptions): Exchange {
  const { account, baseUrl, timeoutMs, now } = options;
  const authorization = `Basic ${Buffer.from(`${options.apiKey}:`).toString('base64')}`;

  /** Sends a request and hands its answer to `read`; what goes wrong on the way is told alike for all calls. */
  async function exchange<T>(
    request: ApiRequest,
    path: string,
    read: (response: Response, about: CallIdentity, limits: RequestSignal) => Promise<T>,
  ): Promise<T> {
    const { method } = request;
    const about = { account, method, path };
    const startedAt = performance.now();
    const body = requestBody(request);
    const limits = requestSignal(request.files === undefined ? timeoutMs : undefined, options.signal);
    let status: number | undefined;
    const ended = (error?: string): void => {
      const note = shownBody(request);
      const made: ApiCall = {
        ...about,
        route: request.route,
        ...(note && { body: note }),
        ...(status !== undefined && { status }),
        ...(error !== undefined && { error }),
        durationMs: Math.round(performance.now() - startedAt),
      };
      recordCall(made);
      options.onCall?.(made);
    };
    try {
      const { signal } = limits;
      const headers = { authorization, accept: 'application/json' };
      const response =
        body instanceof FormData
          ? await upload(baseUrl + path, { method, headers, form: body, signal })
          : await fetch(baseUrl + path, {
              method,
              headers,
              redirect: 'manual',
              signal,
              ...(body && { body }),
            });
      status = response.status;
      if (!response.ok) throw errorFromResponse(about, response, await response.text(), now());
      const answer = await read(response, about, limits);
      ended();
      return answer;
    } catch (error) {
      limits.dispose();
      const failure =
        error instanceof SimpleMdmError ? error : errorFromNoResponse(about, error, limits.abortCause());
      ended(failure.message);
      throw failure;
    }
  }

  return {
    call: (request, path) =>
      exchange(request, path, async (response, about, limits) => {
        const text = await response.text();
        limits.dispose();
        const body = text === '' ? undefined : parseJson(text, about, options.revealSecrets);
        return { account, path, status: response.status, body };
      }),
    download: (request, path) =>
      exchange(request, path, (response, about, limits) => {
        limits.clearTimeout();
        return Promise.resolve(downloadOf(response, about, limits));
      }),
  };
}

function downloadOf(response: Response, about: CallIdentity, limits: RequestSignal): Download {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const next = await reader?.read();
        if (next?.value !== undefined) {
          controller.enqueue(next.value);
          return;
        }
        limits.dispose();
        controller.close();
      } catch (error) {
        limits.dispose();
        controller.error(errorFromNoResponse(about, error, limits.abortCause()));
      }
    },
    cancel: async (reason) => {
      limits.dispose();
      await reader?.cancel(reason);
    },
  });
  const whole = new Response(body);
  return {
    contentType: response.headers.get('content-type') ?? undefined,
    body,
    bytes: async () => new Uint8Array(await whole.arrayBuffer()),
    text: () => whole.text(),
  };
}
