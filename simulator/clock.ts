/** The one source of time: whatever the simulator does later is put on this clock. */
export interface SimulatorClock {
  now(): Date;
  /** Runs `task` once `ms` milliseconds have passed; the returned function calls it off. */
  after(ms: number, task: () => void): () => void;
}

/** A clock that stands still until `advance` is called. */
export interface ManualClock extends SimulatorClock {
  advance(ms: number): void;
}

/** The wall clock. Its timers never keep the process alive. */
export function createRealClock(): SimulatorClock {
  return {
    now: () => new Date(),
    after: (ms, task) => {
      const timer = setTimeout(task, ms);
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}

/** A clock for tests: tasks run inside `advance`, in the order in which they fall due. */
export function createManualClock(start = new Date('2024-07-01T12:00:00.000Z')): ManualClock {
  let time = start.getTime();
  // Whatever waits, the next first; kept sorted, so that thousands of tasks cost no search each.
  const waiting: Waiting[] = [];

  return {
    now: () => new Date(time),
    after: (ms, task) => {
      const entry = { due: time + ms, task };
      waiting.splice(placeOf(waiting, entry.due), 0, entry);
      return () => {
        const at = waiting.indexOf(entry, placeOf(waiting, entry.due - 1));
        if (at >= 0) waiting.splice(at, 1);
      };
    },
    advance: (ms) => {
      const until = time + ms;
      // A task may schedule another that falls due within the same stretch, so look again each time.
      for (let next = waiting[0]; next !== undefined && next.due <= until; next = waiting[0]) {
        waiting.shift();
        time = Math.max(time, next.due);
        next.task();
      }
      time = until;
    },
  };
}

interface Waiting {
  due: number;
  task: () => void;
}

/** Where a task that falls due then belongs: after all that are due by then, so that of several the first one set comes first. */
function placeOf(waiting: readonly Waiting[], due: number): number {
  let [from, to] = [0, waiting.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((waiting[middle]?.due ?? Infinity) <= due) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The clock of one simulator: everything still waiting on it is called off by `stop`. */
export function createStoppableClock(clock: SimulatorClock): SimulatorClock & { stop(): void } {
  const cancels = new Set<() => void>();
  let stopped = false;
  return {
    now: () => clock.now(),
    after: (ms, task) => {
      if (stopped) return () => undefined;
      const cancel = clock.after(ms, () => {
        cancels.delete(cancel);
        task();
      });
      cancels.add(cancel);
      return () => {
        cancels.delete(cancel);
        cancel();
      };
    },
    stop: () => {
      stopped = true;
      for (const cancel of cancels) cancel();
      cancels.clear();
    },
  };
}
