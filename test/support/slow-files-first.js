import Sequencer from '@jest/test-sequencer';
import { relative } from 'node:path';

/** Seconds that slow files take on a machine with two cores: used until Jest has measured them itself. */
const TYPICAL_SECONDS = {
  'test/e2e/service-process.test.ts': 50,
  'test/e2e/console.test.ts': 50,
  'test/e2e/rules-command-line.test.ts': 25,
  'test/integration/alerts/channels-in-a-run.test.ts': 40,
  'test/e2e/console-service.test.ts': 40,
  'test/integration/pipeline/concurrency.test.ts': 35,
  'test/integration/pipeline/run-limits.test.ts': 30,
  'test/integration/pipeline/failures.test.ts': 30,
  'test/chaos/killed-sweep.test.ts': 25,
  'test/chaos/killed-worker.test.ts': 20,
  'test/e2e/explain.test.ts': 12,
  'test/integration/pipeline/sweeps.test.ts': 18,
  'test/integration/pipeline/changed-rules.test.ts': 17,
  'test/e2e/private-redis.test.ts': 16,
  'test/chaos/killed-messages.test.ts': 14,
  'test/unit/rules/cost-budget.test.ts': 14,
  'test/integration/pipeline/flow.test.ts': 14,
  'test/integration/console-service.test.ts': 13,
  'test/integration/console-api.test.ts': 12,
  'test/e2e/validate.test.ts': 12,
  'test/integration/rules/documentation.test.ts': 10,
  'test/integration/simplemdm/retries.test.ts': 10,
  'test/integration/pipeline/hot-reload.test.ts': 10,
  'test/integration/pipeline/schedules.test.ts': 10,
  'test/e2e/simplemdm-package.test.ts': 9,
};
const OTHER_SECONDS = 2;

/** Starts the slow files first, so that no worker is left alone with one at the end. */
export default class SlowFilesFirst extends Sequencer {
  time(test) {
    const file = relative(test.context.config.rootDir, test.path);
    return super.time(test) ?? (TYPICAL_SECONDS[file] ?? OTHER_SECONDS) * 1000;
  }
}
