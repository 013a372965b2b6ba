import { AsyncLocalStorage } from 'node:async_hooks';
import type { Lane } from '../queues/jobs.js';

export type { Lane };

/** The lane of a task. A bulk task can be raised to the interactive lane; it stays there. */
export interface TaskLane {
  readonly current: () => Lane;
  /** Calls a function when the task is raised. Returns how to stop that. */
  readonly onRaise: (listener: () => void) => () => void;
}

interface RaisableLane extends TaskLane {
  readonly raise: () => void;
}

const storage = new AsyncLocalStorage<TaskLane>();

const INTERACTIVE: TaskLane = { current: () => 'interactive', onRaise: () => () => undefined };

/** The lane of the enclosing {@link withLane}; interactive without one. */
export function taskLane(): TaskLane {
  return storage.getStore() ?? INTERACTIVE;
}

/** Runs a task in a lane: its API calls wait in that lane of the rate limiter. */
export async function withLane<T>(lane: Lane, task: () => Promise<T>): Promise<T> {
  return storage.run(lane === 'interactive' ? INTERACTIVE : bulkLane(), task);
}

/** A task that several callers wait for. */
export interface SharedTask<T> {
  /** Waits for the result. An interactive caller raises the task, so that the caller does not wait in the bulk lane. */
  readonly join: () => Promise<T>;
}

/** Starts a task that others can join. It begins in the lane of the caller. */
export function shareTask<T>(task: () => Promise<T>): SharedTask<T> {
  const own = taskLane();
  if (own.current() === 'interactive') {
    const result = task();
    return { join: () => result };
  }
  const lane = bulkLane(own);
  const result = storage.run(lane, task);
  return {
    join: () => {
      if (taskLane().current() === 'interactive') lane.raise();
      return result;
    },
  };
}

/** @param parent - The lane of the caller: a task is raised with its caller. */
function bulkLane(parent?: TaskLane): RaisableLane {
  const listeners = new Set<() => void>();
  let isRaised = false;
  return {
    current: () => (isRaised || parent?.current() === 'interactive' ? 'interactive' : 'bulk'),
    onRaise: (listener) => {
      listeners.add(listener);
      const stop = parent?.onRaise(listener);
      return () => {
        listeners.delete(listener);
        stop?.();
      };
    },
    raise: () => {
      isRaised = true;
      for (const listener of listeners) listener();
    },
  };
}
