import { z } from 'zod';
import { waitText } from '../rules/model/duration.js';
import { defineAction } from './action.js';

/** Lets some time pass before the next step. */
export const wait = defineAction({
  about:
    'Lets some time pass before the next step: `wait: 10m`. It outlasts restarts, and no worker is kept busy meanwhile. What later steps name is looked up anew.',
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
