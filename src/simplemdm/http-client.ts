import type { ApiCall } from '../http/api-call.js';
import { requestSignal } from '../http/request-signal.js';
import type { RequestSignal } from '../http/request-signal.js';
import type { ApiResponse, Download } from './api-response.js';
import { countCall } from './call-count.js';
import { recordCall } from './call-recorder.js';
import { isHtml } from './answer-shape.js';
import { bodyOf, errorFromAnswer, errorFromNoResponse, foreignError } from './response-errors.js';
import { SimpleMdmError } from './errors.js';
import type { CallIdentity } from './errors.js';
import { requestBody } from './request.js';
import type { ApiRequest } from './request.js';
import { redactedBody } from './secrets.js';
import { upload } from './upload.js';

/** How to make calls to one account. */
export interface HttpOptions {
  readonly account: string;
  readonly apiKey: string;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** The timeout of a call. Uploads have no timeout, because their size is unknown. */
  readonly timeoutMs: number;
  /** Whether responses keep the secrets of devices. Otherwise they are dropped when a response is parsed. */
  readonly revealSecrets: boolean;
  readonly now: () => number;
  /** Aborted when the process stops: cancels the calls in flight. */
  readonly signal?: AbortSignal;
  /** Called after every call that was made. */
  readonly onCall?: (call: ApiCall) => void;
}

/** Makes one attempt at a call, without retries or rate limiting. */
export interface HttpClient {
  readonly call: (request: ApiRequest, path: string) => Promise<ApiResponse>;
  readonly download: (request: ApiRequest, path: string) => Promise<Download>;
}

/**
 * HTTP with the API: Basic authentication with the key as user name (API reference, Authentication), timeouts, error bodies,
 * secrets dropped. Node's fetch keeps connections alive.
 */
export function createHttpClient(options: HttpOptions): HttpClient {
  const { account, baseUrl, timeoutMs, now } = options;
  const authorization = `Basic ${Buffer.from(`${options.apiKey}:`).toString('base64')}`;

  /** Sends a request, hands the response to `read`, and records the call. */
  async function exchange<T>(
    request: ApiRequest,
    path: string,
    read: (response: Response, identity: CallIdentity, limits: RequestSignal) => Promise<T>,
  ): Promise<T> {
    const { method } = request;
    const identity = { account, method, path };
    const startedAt = performance.now();
    const body = requestBody(request);
    const limits = requestSignal(request.files === undefined ? timeoutMs : undefined, options.signal);
    let status: number | undefined;
    const record = (error?: string): void => {
      const sentBody = redactedBody(request);
      const call: ApiCall = {
        ...identity,
        route: request.route,
        ...(sentBody && { body: sentBody }),
        ...(status !== undefined && { status }),
        ...(error !== undefined && { error }),
        durationMs: Math.round(performance.now() - startedAt),
      };
      recordCall(call);
      countCall();
      options.onCall?.(call);
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
      if (!response.ok) {
        const { headers } = response;
        throw errorFromAnswer(identity, { status, headers, text: await response.text() }, now());
      }
      const result = await read(response, identity, limits);
      record();
      return result;
    } catch (error) {
      limits.dispose();
      const failure =
        error instanceof SimpleMdmError ? error : errorFromNoResponse(identity, error, limits.abortCause());
      // The status of another server would read as an answer of SimpleMDM: a refused key, a missing object.
      if (failure.failure.kind === 'foreign') status = undefined;
      record(failure.message);
      throw failure;
    }
  }

  return {
    call: (request, path) =>
      exchange(request, path, async (response, identity, limits) => {
        const { status, headers } = response;
        const answer = { status, headers, text: await response.text() };
        limits.dispose();
        const body = bodyOf(answer, identity, request.expects, options.revealSecrets);
        return { account, path, status, body };
      }),
    download: (request, path) =>
      exchange(request, path, (response, identity, limits) => {
        limits.clearTimeout();
        // A file of SimpleMDM can be XML, but no file is a web page.
        if (isHtml(response.headers.get('content-type') ?? ''))
          throw foreignError(identity, response, 'a page');
        return Promise.resolve(downloadOf(response, identity, limits));
      }),
  };
}

function downloadOf(response: Response, identity: CallIdentity, limits: RequestSignal): Download {
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
        controller.error(errorFromNoResponse(identity, error, limits.abortCause()));
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
