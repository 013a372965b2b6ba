import { z } from 'zod';
import { defineAction } from './action.js';

/** Writes to the log of the service. */
export const log = defineAction({
  about: 'Writes a line to the log of the service.',
  example: "log: { message: '{{ device.name }} joined', level: info }",
  args: z.strictObject({
    message: z.string('expected a text'),
    level: z
      .enum(['debug', 'info', 'warn', 'error'], 'expected one of debug, info, warn, error')
      .default('info'),
  }),
  shorthand: 'message',
  outputs: { message: 'string' },
  facts: [],
  perform: ({ message, level }, { logger }) => {
    if (level === 'warn' || level === 'error') logger[level]({ code: 'step/log-message' }, message);
    else logger[level](message);
    return Promise.resolve({ status: 'completed', output: { message } });
  },
});
