import type { Shard } from '../queues/shards.js';
import {
  REPORT_INTERVAL_MS,
  createRulesReport,
  readReport,
  rulesReport,
  writeReport,
} from '../console/rules-report.js';
import type { RulesReport } from '../console/rules-report.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import { redactJson } from '../telemetry/redaction.js';
import type { Redact } from '../telemetry/redaction.js';
import type { LiveRules } from './live-rules.js';

/** What rule reporting needs. */
export interface RuleReportingOptions {
  /** Undefined in a process without rules: the process only reads the reports of others. */
  readonly rules: LiveRules | undefined;
  readonly home: Shard;
  readonly redact: Redact;
  readonly logger: Logger;
}

/** Rule reporting that runs. */
export interface RuleReporting {
  /** The report of this process, or of the worker that reported last; undefined when no worker runs. */
  readonly report: () => Promise<RulesReport | undefined>;
  readonly stop: () => Promise<void>;
}

/** Writes the rules report to Redis again and again, so that receivers without rules can show the live rules. */
export function startRuleReporting({ rules, home, redact, logger }: RuleReportingOptions): RuleReporting {
  const ownReport = (): RulesReport | undefined =>
    // A problem quotes a line of a file, which may hold a secret.
    rules && rulesReport.parse(redactJson(redact, createRulesReport(rules)));
  const write = (): void => {
    const own = ownReport();
    if (own === undefined || home.redis.status !== 'ready') return;
    writeReport(home, own).catch((error: unknown) =>
      logger.debug({ reason: errorText(error) }, 'the rules report could not be written'),
    );
  };
  home.redis.once('ready', write);
  const interval = setInterval(write, REPORT_INTERVAL_MS);
  interval.unref();
  return {
    report: async () => ownReport() ?? readReport(home),
    stop: () => {
      clearInterval(interval);
      return Promise.resolve();
    },
  };
}
