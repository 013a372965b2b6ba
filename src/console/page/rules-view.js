/* global HTMLElement, location */
/** @import { AlertsState, RuleState } from '../service-state.js' */
import { ApiProblem, askApi } from './api.js';
import { byId, element, showIn } from './dom.js';
import { counted, timeWord, typeWord } from './words.js';

const body = byId('rules-body', HTMLElement);

/** Whether the address of the page names the view of the rules. */
export function isRulesView() {
  return location.hash === '#rules';
}

/**
 * Fetches the rules in force and the channels, and shows what is new.
 *
 * @param {AbortSignal} signal
 */
export async function refreshRules(signal) {
  const [rules, alerts] = await Promise.all([rulesInForce(signal), askApi('api/alerts', { signal })]);
  const { channels, silences } = /** @type {AlertsState} */ (alerts);
  showIn(body, [
    list('rules', 'Rules in force', 'There are no rules: events are recorded and nothing is done.', rules),
    list('channels', 'Channels', 'There are none: nobody is told of anything.', channels.map(channelRow)),
    list('silences', 'Silences', 'Nothing is silenced.', silences.map(silenceRow)),
  ]);
}

/** @param {AbortSignal} signal */
async function rulesInForce(signal) {
  try {
    const { rules } = /** @type {{ rules: readonly RuleState[] }} */ (await askApi('api/rules', { signal }));
    return rules.map(ruleRow);
  } catch (error) {
    // No worker runs; the channels and silences are there nevertheless.
    if (!(error instanceof ApiProblem) || error.status !== 503) throw error;
    return [element('li', { class: 'error' }, error.message)];
  }
}

/**
 * @param {string} key
 * @param {string} title
 * @param {string} none
 * @param {readonly HTMLElement[]} rows
 */
function list(key, title, none, rows) {
  return element(
    'section',
    { class: 'card', 'data-key': key },
    element('h2', {}, title),
    rows.length === 0 ? element('p', { class: 'hint' }, none) : element('ul', { class: 'plain' }, ...rows),
  );
}

/** @param {RuleState} rule */
function ruleRow({ id, description, enabled, on, schedule, mode, limit, accounts, held, next }) {
  const waiting = held.reduce((sum, one) => sum + one.waitingRuns, 0);
  const about = [
    ...(limit === undefined
      ? []
      : [
          `at most ${counted(limit.runs, 'run', 'runs')} in ${counted(limit.perMs / 60_000, 'minute', 'minutes')}`,
        ]),
    ...(accounts === undefined ? [] : [`only for ${accounts.join(', ')}`]),
  ];
  return element(
    'li',
    { 'data-key': id },
    element(
      'p',
      { class: 'line' },
      element('strong', {}, id),
      ...(held.length === 0 ? [] : [tag(`held, ${counted(waiting, 'run waits', 'runs wait')}`, 'bad')]),
      ...(enabled ? [] : [tag('disabled')]),
      ...(mode === 'live' ? [] : [tag('dry run')]),
    ),
    ...(description === undefined ? [] : [element('p', {}, description)]),
    element(
      'p',
      { class: 'hint' },
      ...(schedule === undefined
        ? ['on ', ...on.flatMap((type, index) => (index === 0 ? typeWord(type) : [', ', ...typeWord(type)]))]
        : [
            `by the clock: ${schedule.cron} (${schedule.timezone})`,
            ...(schedule.forEach === undefined ? [] : [', for each device']),
            ...(next === undefined ? [] : [', next ', timeWord(next)]),
          ]),
      ...about.map((text) => ` · ${text}`),
    ),
  );
}

/**
 * @param {string} text
 * @param {string} [tone]
 */
function tag(text, tone) {
  return element('span', { class: 'tag', 'data-tone': tone }, text);
}

/** @param {AlertsState['channels'][number]} channel */
function channelRow({ name, type, serviceAlerts, digest }) {
  return element(
    'li',
    { 'data-key': name },
    element('p', { class: 'line' }, element('strong', {}, name), element('span', {}, type)),
    ...(serviceAlerts
      ? [element('p', { class: 'hint' }, 'is told of the troubles of the service as well')]
      : []),
    ...(digest === undefined
      ? []
      : [element('p', { class: 'hint' }, `a digest at ${digest.schedule} (${digest.timezone})`)]),
  );
}

/** @param {AlertsState['silences'][number]} silence */
function silenceRow({ id, match, until, comment }) {
  const what = Object.entries(match).map(([name, pattern]) => `${name}=${pattern}`);
  return element(
    'li',
    { 'data-key': id },
    element('p', { class: 'line' }, element('strong', {}, what.join(' and ')), element('span', {}, comment)),
    element(
      'p',
      { class: 'hint' },
      'until ',
      timeWord(until),
      ' · to end it: ',
      element('code', {}, `mdm-reflex silence remove ${id}`),
    ),
  );
}
