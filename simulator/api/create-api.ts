import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SimulatorClock } from '../clock.js';
import { timestamp } from '../timestamps.js';
import { failure, notFound, type ApiResponse } from './response.js';
import { accessOf, type Access } from './authentication.js';
import type { CallLog } from './call-log.js';
import { takesEffect, type Fault, type FaultList } from './faults.js';
import { recordable } from './params.js';
import { createRateLimiter, rateHeaders, type RateLimit } from './rate-limit.js';
import { readRequest, type ReadRequest } from './read-request.js';
import { matchCall, type Route } from './route.js';
import { writeResponse, writeHtml, writeTruncated } from './write-response.js';

export const apiRoot = '/api/v1';

export interface ApiOptions {
  keys: { apiKey: string; readOnlyApiKey?: string };
  routes: readonly Route[];
  /** How a response is shown (default: as the route made it). */
  present?: (response: ApiResponse) => ApiResponse;
  clock: SimulatorClock;
  faults: FaultList;
  callLog: CallLog;
  rateLimit?: RateLimit;
}

/** Creates the listener for everything under `/api/v1`. */
export function createApi(
  options: ApiOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const requestCall = createRateLimiter(options.rateLimit, options.clock);
  const waitHeaders = (seconds: number) =>
    rateHeaders(options.rateLimit?.headers ?? 'retry-after', seconds, options.clock.now());

  return async (request, response) => {
    const startedAt = performance.now();
    const read = await readRequest(request);
    const path = read.path.slice(apiRoot.length);
    const access = accessOf(request.headers.authorization, options.keys);
    const present = options.present ?? ((made: ApiResponse) => made);
    const handleCall = () => present(handle(options.routes, access, requestCall, waitHeaders, read, path));
    const record = (status: number) =>
      options.callLog.add({
        method: read.method,
        path,
        query: read.query,
        body: recordable(read.body),
        status,
        at: timestamp(options.clock.now()),
        authorized: access !== 'none',
      });

    const fault = options.faults.use(read.method, path);
    if (fault === undefined) {
      const regular = handleCall();
      record(regular.status);
      writeResponse(request, response, regular, startedAt);
    } else {
      applyFault({ fault, request, response, handleCall, record, startedAt, clock: options.clock });
    }
  };
}

function handle(
  routes: readonly Route[],
  access: Access,
  requestCall: () => number,
  waitHeaders: (seconds: number) => Record<string, string>,
  read: ReadRequest,
  path: string,
): ApiResponse {
  if (access === 'none') return failure(401, 'invalid API key');
  const waitSeconds = requestCall();
  if (waitSeconds > 0) return failure(429, 'too many requests', waitHeaders(waitSeconds));
  if (access === 'read_only' && read.method !== 'GET' && read.method !== 'HEAD') {
    return failure(403, 'This API Key does not have access to this resource.');
  }
  const match = matchCall(routes, read.method, path);
  if (match === undefined) return notFound();
  if (!read.wellFormed) return failure(400, 'the request body could not be read');
  return match.route.handle({ path: match.path, query: read.query, params: read.params });
}

interface FaultyCall {
  fault: Fault;
  request: IncomingMessage;
  response: ServerResponse;
  handleCall: () => ApiResponse;
  record: (status: number) => void;
  startedAt: number;
  clock: SimulatorClock;
}

function applyFault({ fault, request, response, handleCall, record, startedAt, clock }: FaultyCall): void {
  const result = takesEffect(fault) ? handleCall() : undefined;
  switch (fault.kind) {
    case 'hang':
      record(0);
      return;
    case 'reset':
      record(0);
      request.socket.resetAndDestroy();
      return;
    case 'status': {
      const error = failure(fault.status ?? 500, 'something went wrong', retryHeaders(fault));
      record(error.status);
      writeResponse(request, response, error, startedAt);
      return;
    }
    case 'not_json':
      record(fault.status ?? 200);
      writeHtml(response, fault.status ?? 200);
      return;
    case 'truncated': {
      const whole = result ?? { status: fault.status ?? 200, body: { data: [], has_more: false } };
      record(whole.status);
      writeTruncated(response, whole, startedAt);
      return;
    }
    case 'wrong_json': {
      const regular = result ?? { status: fault.status ?? 200 };
      record(regular.status);
      writeResponse(
        request,
        response,
        { ...regular, body: { data: 'maintenance', has_more: 'no' } },
        startedAt,
      );
      return;
    }
    case 'slow':
      clock.after(fault.delayMs ?? 1000, () => {
        const delayed = result ?? handleCall();
        record(delayed.status);
        writeResponse(request, response, delayed, startedAt);
      });
      return;
  }
}

function retryHeaders({ retryAfter, rateLimitReset }: Fault): Record<string, string> {
  return {
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    ...(rateLimitReset !== undefined && { 'x-ratelimit-reset': String(rateLimitReset) }),
  };
}
