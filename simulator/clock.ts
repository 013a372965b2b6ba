/** The only source of time. The simulator schedules all later work on this clock. */
export interface SimulatorClock {
  now(): Date;
  /** Runs `task` after `ms` milliseconds. The returned function cancels the task. */
  after(ms: number, task: () => void): () => void;
}

/** A clock that moves only when `advance` is called. */
export interface ManualClock extends SimulatorClock {
  advance(ms: number): void;
}

/** The wall clock. Its timers do not keep the process alive. */
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

/** A clock for tests. Tasks run inside `advance`, in the order of their due times. */
export function createManualClock(start = new Date('2024-07-01T12:00:00.000Z')): ManualClock {
  let time = start.getTime();
  // Sorted by due time, so that thousands of tasks need no search each.
  const scheduled: ScheduledTask[] = [];

  return {
    now: () => new Date(time),
    after: (ms, task) => {
      const entry = { due: time + ms, task };
      scheduled.splice(insertionIndex(scheduled, entry.due), 0, entry);
      return () => {
        const index = scheduled.indexOf(entry, insertionIndex(scheduled, entry.due - 1));
        if (index >= 0) scheduled.splice(index, 1);
      };
    },
    advance: (ms) => {
      const until = time + ms;
      // A task may schedule another one that is due before `until`.
      for (let next = scheduled[0]; next !== undefined && next.due <= until; next = scheduled[0]) {
        scheduled.shift();
        time = Math.max(time, next.due);
        next.task();
      }
      time = until;
    },
  };
}

interface ScheduledTask {
  due: number;
  task: () => void;
}

/** The index for a task with this due time: after the tasks with the same due time, which were scheduled earlier. */
function insertionIndex(scheduled: readonly ScheduledTask[], due: number): number {
  let [from, to] = [0, scheduled.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((scheduled[middle]?.due ?? Infinity) <= due) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The clock of one simulator. `stop` cancels every scheduled task. */
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
