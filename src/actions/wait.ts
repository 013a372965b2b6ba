import { z } from 'zod';
import { waitText } from '../rules/model/duration.js';
import { defineAction } from './action.js';

/** Delays the next step. */
export const wait = defineAction({
  about:
    'Waits before the next step: `wait: 10m`. The wait survives restarts, and no worker is busy meanwhile. Later steps look up their facts again.',
  example: 'wait: 10m',
  args: z.strictObject({ for: waitText }),
  shorthand: 'for',
  outputs: {},
  facts: [],
  perform: ({ for: ms }, { startedAt, now }) => {
    const until = startedAt.getTime() + ms;
    if (now().getTime() >= until) return Promise.resolve({ status: 'completed', output: {} });
    const reason = `waits until ${new Date(until).toISOString()}`;
    return Promise.resolve({ status: 'waiting', until, reason, output: {} });
  },
});
