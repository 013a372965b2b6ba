import { createHash, randomBytes } from 'node:crypto';
import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import { z } from 'zod';
import { pipelineResults } from '../queues/connection.js';
import { UNFINISHED_TTL_S } from '../queues/retention.js';

/** What people are asked. It holds no secret: `${env:NAME}` in the arguments is not resolved. */
const approvalRequest = z.object({
  /** The same for every attempt of the run to ask. */
  id: z.string(),
  account: z.string(),
  rule: z.string(),
  description: z.string().optional(),
  event: z.object({ id: z.string(), type: z.string() }),
  device: z
    .object({ id: z.int().optional(), name: z.string().optional(), serialNumber: z.string().optional() })
    .optional(),
  /** The steps that wait, with their arguments as the rule has them. */
  steps: z.array(z.object({ action: z.string(), args: z.string() })),
  channel: z.string(),
  /** The job of the run. */
  run: z.string(),
  /** ISO 8601. */
  requestedAt: z.string(),
  /** Nobody can decide after this time: ISO 8601. */
  expiresAt: z.string(),
  /** What happens then. */
  onTimeout: z.enum(['drop', 'proceed']),
});

/** A question that a run waits for. */
export type ApprovalRequest = z.output<typeof approvalRequest>;

/** How a question was answered. `expired`: nobody decided in time. `withdrawn`: the run ended before. */
export const approvalDecision = z.object({
  answer: z.enum(['approved', 'rejected', 'expired', 'withdrawn']),
  /** ISO 8601. */
  at: z.string(),
  /** The name that the person gave. */
  by: z.string().optional(),
  /** Where the person decided. */
  via: z.enum(['link', 'console', 'command line']).optional(),
  /** The network address of the person. */
  address: z.string().optional(),
});

/** How a question was answered. */
export type ApprovalDecision = z.output<typeof approvalDecision>;

/** A question, and its answer if there is one. */
export interface Approval {
  readonly request: ApprovalRequest;
  readonly decision: ApprovalDecision | undefined;
}

/** The questions that runs wait for. */
export interface Approvals {
  /** Asks once: the first request with an id counts. */
  readonly ask: (request: ApprovalRequest) => Promise<Approval>;
  readonly find: (id: string) => Promise<Approval | undefined>;
  /** The question that a link leads to. */
  readonly findByToken: (token: string) => Promise<Approval | undefined>;
  /**
   * Creates a link to a question. Redis gets only the hash of the token.
   *
   * @returns The token; undefined when the question is answered or its time is over.
   */
  readonly createToken: (id: string) => Promise<string | undefined>;
  /**
   * Answers a question, unless it is answered. After its time only `expired` and `withdrawn` count.
   *
   * @returns The answer that counts, and whether it is this one; undefined when there is no such question.
   */
  readonly decide: (
    id: string,
    decision: ApprovalDecision,
  ) => Promise<{ readonly decision: ApprovalDecision; readonly isNew: boolean } | undefined>;
  /** The questions without an answer, the oldest first. */
  readonly list: () => Promise<ApprovalRequest[]>;
}

/** 256 bits, in the letters of a URL. */
const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** KEYS: question, pending. ARGV: id, decision, now, whether the time of the question does not matter. */
const DECIDE = defineScript(`
  local text = redis.call('hget', KEYS[1], 'request')
  if not text then return { 'none', '' } end
  local before = redis.call('hget', KEYS[1], 'decision')
  if before then return { 'old', before } end
  local expires = tonumber(redis.call('hget', KEYS[1], 'expiresAt'))
  if ARGV[4] == '0' and tonumber(ARGV[3]) >= expires then return { 'late', '' } end
  redis.call('hset', KEYS[1], 'decision', ARGV[2])
  redis.call('zrem', KEYS[2], ARGV[1])
  return { 'new', ARGV[2] }
`);

const decideResult = z.tuple([z.enum(['none', 'old', 'late', 'new']), z.string()]);

/** The questions in Redis, shared by all processes. A question outlives its time, so that its run finds it after an outage. */
export function openApprovals({ redis, prefix }: Shard, now: () => number = Date.now): Approvals {
  const base = `${prefix}:approvals`;
  /** Sorted set: the ids of the questions without an answer, by the time of the request. */
  const pendingKey = `${base}:pending`;
  /** Hash: a question, and its answer. */
  const approvalKey = (id: string): string => `${base}:approval:${id}`;
  /** String: the id of the question that a token is for, by the hash of the token. */
  const tokenKey = (token: string): string =>
    `${base}:token:${createHash('sha256').update(token).digest('hex')}`;
  const find = async (id: string): Promise<Approval | undefined> => {
    const [request, decision] = await redis.hmget(approvalKey(id), 'request', 'decision');
    if (typeof request !== 'string') return undefined;
    return {
      request: approvalRequest.parse(JSON.parse(request)),
      decision: typeof decision === 'string' ? decisionFrom(decision) : undefined,
    };
  };
  const secondsLeft = (expiresAt: string): number => Math.ceil((Date.parse(expiresAt) - now()) / 1000);
  return {
    ask: async (request) => {
      const key = approvalKey(request.id);
      const pipeline = redis.multi();
      pipeline.hsetnx(key, 'request', JSON.stringify(request));
      pipeline.hsetnx(key, 'expiresAt', String(Date.parse(request.expiresAt)));
      pipeline.expire(key, Math.max(secondsLeft(request.expiresAt), 0) + UNFINISHED_TTL_S);
      pipelineResults(await pipeline.exec());
      const asked = (await find(request.id)) ?? { request, decision: undefined };
      if (asked.decision === undefined)
        await redis.zadd(pendingKey, Date.parse(asked.request.requestedAt), request.id);
      return asked;
    },
    find,
    findByToken: async (token) => {
      if (!TOKEN.test(token)) return undefined;
      const id = await redis.get(tokenKey(token));
      return id === null ? undefined : find(id);
    },
    createToken: async (id) => {
      const found = await find(id);
      const seconds = found === undefined ? 0 : secondsLeft(found.request.expiresAt);
      if (found?.decision !== undefined || seconds <= 0) return undefined;
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      // The page still tells the answer when somebody opens an old message.
      await redis.set(tokenKey(token), id, 'EX', seconds + UNFINISHED_TTL_S);
      return token;
    },
    decide: async (id, decision) => {
      const endsAnyway = decision.answer === 'expired' || decision.answer === 'withdrawn';
      const result: unknown = await runScript(
        redis,
        DECIDE,
        [approvalKey(id), pendingKey],
        [id, JSON.stringify(decision), now(), endsAnyway ? '1' : '0'],
      );
      const [kind, text] = decideResult.parse(result);
      if (kind === 'none') return undefined;
      if (kind === 'late')
        return { decision: { answer: 'expired', at: new Date(now()).toISOString() }, isNew: false };
      return { decision: decisionFrom(text), isNew: kind === 'new' };
    },
    list: async () => {
      const ids = await redis.zrange(pendingKey, '0', '-1');
      const found = await Promise.all(ids.map(async (id) => ({ id, approval: await find(id) })));
      const gone = found.filter(({ approval }) => approval === undefined || approval.decision !== undefined);
      if (gone.length > 0) await redis.zrem(pendingKey, ...gone.map(({ id }) => id));
      return found.flatMap(({ approval }) =>
        approval === undefined || approval.decision !== undefined ? [] : [approval.request],
      );
    },
  };
}

function decisionFrom(text: string): ApprovalDecision {
  return approvalDecision.parse(JSON.parse(text));
}
