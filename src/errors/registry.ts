import { ALERT_ERRORS } from './codes/alert.js';
import { API_ERRORS } from './codes/api.js';
import { CHANNEL_ERRORS } from './codes/channel.js';
import { CLI_ERRORS } from './codes/cli.js';
import { EVENT_ERRORS } from './codes/event.js';
import { FACT_ERRORS } from './codes/fact.js';
import { HTTP_ERRORS } from './codes/http.js';
import { LOOKUP_ERRORS } from './codes/lookup.js';
import { REDIS_ERRORS } from './codes/redis.js';
import { RULE_ERRORS } from './codes/rule.js';
import { RULE_TEST_ERRORS } from './codes/rule-test.js';
import { RUN_ERRORS } from './codes/run.js';
import { SCHEDULE_ERRORS } from './codes/schedule.js';
import { SERVICE_ERRORS } from './codes/service.js';
import { SETTINGS_ERRORS } from './codes/settings.js';
import { STEP_ERRORS } from './codes/step.js';
import { WEBHOOK_ERRORS } from './codes/webhook.js';

/** Every error that a user can meet, by its stable code. docs/errors.md explains each. */
export const ERRORS = {
  ...ALERT_ERRORS,
  ...API_ERRORS,
  ...CHANNEL_ERRORS,
  ...CLI_ERRORS,
  ...EVENT_ERRORS,
  ...FACT_ERRORS,
  ...HTTP_ERRORS,
  ...LOOKUP_ERRORS,
  ...REDIS_ERRORS,
  ...RULE_ERRORS,
  ...RULE_TEST_ERRORS,
  ...RUN_ERRORS,
  ...SCHEDULE_ERRORS,
  ...SERVICE_ERRORS,
  ...SETTINGS_ERRORS,
  ...STEP_ERRORS,
  ...WEBHOOK_ERRORS,
} as const;

/** The code of an error in the registry. */
export type ErrorCode = keyof typeof ERRORS;
