import type { AnswerWarning } from '../simplemdm/answer-warnings.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';

/**
 * Counts the parts of API answers that could not be used. Logs each kind once per resource and field: a field that has changed its type
 * has done so in every record of a fleet.
 */
export function watchAnswers(
  metrics: Pick<Metrics, 'apiUnreadableFields' | 'apiIncompleteLists'>,
  logger: Logger,
): (warning: AnswerWarning) => void {
  const logged = new Set<string>();
  return ({ kind, resource, field = 'id', text }) => {
    const isList = kind === 'incomplete_list';
    if (isList) metrics.apiIncompleteLists.inc({ resource });
    else metrics.apiUnreadableFields.inc({ resource, field });
    const subject = isList ? resource : `${resource} ${field}`;
    if (logged.has(subject)) return;
    logged.add(subject);
    const code = isList ? 'api/incomplete-list' : 'api/unreadable-field';
    logger.warn(
      { code, resource, ...(!isList && { field }), reason: text },
      'an API answer could not be used in full',
    );
  };
}
