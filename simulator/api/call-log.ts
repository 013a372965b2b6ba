/** One API call as received, without its key. */
export interface RecordedCall {
  method: string;
  /** Below `/api/v1`, without query and trailing slash. */
  path: string;
  query: Record<string, string>;
  /** The parameters of the body, whatever their encoding. */
  body: Readonly<Record<string, unknown>>;
  /** The status of the response; 0 when a fault left the call without a response. */
  status: number;
  at: string;
  authorized: boolean;
}

export interface CallLog {
  add(call: RecordedCall): void;
  all(): RecordedCall[];
  clear(): void;
}

const maxCalls = 100_000;

/** Creates a log of the latest calls, oldest first. */
export function createCallLog(): CallLog {
  let calls: RecordedCall[] = [];
  return {
    add: (call) => {
      calls.push(call);
      if (calls.length > maxCalls * 2) calls = calls.slice(-maxCalls);
    },
    all: () => [...calls],
    clear: () => {
      calls = [];
    },
  };
}
