/** One API call as it arrived. The key is never kept. */
export interface RecordedCall {
  method: string;
  /** Below `/api/v1`, without query and trailing slash. */
  path: string;
  query: Record<string, string>;
  /** The parameters of the body, whichever way they were encoded. */
  body: Readonly<Record<string, unknown>>;
  /** What was answered; 0 where a fault left the call without an answer. */
  status: number;
  at: string;
  authorized: boolean;
}

export interface CallLog {
  add(call: RecordedCall): void;
  all(): RecordedCall[];
  clear(): void;
}

const kept = 100_000;

/** The calls since the start or the last clearing, oldest first; of very many, the latest. */
export function createCallLog(): CallLog {
  let calls: RecordedCall[] = [];
  return {
    add: (call) => {
      calls.push(call);
      if (calls.length > kept * 2) calls = calls.slice(-kept);
    },
    all: () => [...calls],
    clear: () => {
      calls = [];
    },
  };
}
