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
  const waiting = new Map<number, { due: number; task: () => void }>();
  let lastTicket = 0;

  const nextDue = (until: number) => {
    let next: [number, { due: number; task: () => void }] | undefined;
    // Tickets are in order, so of several that are due together the first one set is met first.
    for (const entry of waiting) {
      if (entry[1].due <= until && (next === undefined || entry[1].due < next[1].due)) next = entry;
    }
    return next;
  };

  return {
    now: () => new Date(time),
    after: (ms, task) => {
      const ticket = ++lastTicket;
      waiting.set(ticket, { due: time + ms, task });
      return () => void waiting.delete(ticket);
    },
    advance: (ms) => {
      const until = time + ms;
      // A task may schedule another that falls due within the same stretch, so look again each time.
      for (let next = nextDue(until); next !== undefined; next = nextDue(until)) {
        const [ticket, { due, task }] = next;
        waiting.delete(ticket);
        time = due;
        task();
      }
      time = until;
    },
  };
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
