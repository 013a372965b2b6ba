/* global HTMLElement, location */
/** @import { AlertsState, RuleState } from '../service-state.js' */
import { ApiProblem, callApi } from './api.js';
import { byId, element, render } from './dom.js';
import { counted, formatTime, formatType } from './format.js';

const body = byId('rules-body', HTMLElement);

/** Whether the URL of the page selects the rules view. */
export function isRulesView() {
  return location.hash === '#rules';
}

/**
 * Fetches the live rules, the channels and the silences, and updates the view.
 *
 * @param {AbortSignal} signal
 */
export async function refreshRules(signal) {
  const [rules, alerts] = await Promise.all([liveRules(signal), callApi('api/alerts', { signal })]);
  const { channels, silences } = /** @type {AlertsState} */ (alerts);
  render(body, [
    list('rules', 'Live rules', 'No rules: events are recorded, and no actions run.', rules),
    list('channels', 'Channels', 'No channels: nobody receives alerts.', channels.map(channelRow)),
    list('silences', 'Silences', 'No active silences.', silences.map(silenceRow)),
  ]);
}

/** @param {AbortSignal} signal */
async function liveRules(signal) {
  try {
    const { rules } = /** @type {{ rules: readonly RuleState[] }} */ (await callApi('api/rules', { signal }));
    return rules.map(ruleRow);
  } catch (error) {
    // No worker runs. Channels and silences are still available.
    if (!(error instanceof ApiProblem) || error.status !== 503) throw error;
    return [element('li', { class: 'error' }, error.message)];
  }
}

/**
 * @param {string} key
 * @param {string} title
 * @param {string} emptyText
 * @param {readonly HTMLElement[]} rows
 */
function list(key, title, emptyText, rows) {
  return element(
    'section',
    { class: 'card', 'data-key': key },
    element('h2', {}, title),
    rows.length === 0
      ? element('p', { class: 'hint' }, emptyText)
      : element('ul', { class: 'plain' }, ...rows),
  );
}

/** @param {RuleState} rule */
function ruleRow({ id, description, enabled, on, schedule, mode, limit, accounts, held, raised, next }) {
  const waiting = held.reduce((sum, { waitingRuns }) => sum + waitingRuns, 0);
  const details = [
    ...(limit === undefined
      ? []
      : [
          `at most ${counted(limit.runs, 'run', 'runs')} in ${counted(limit.perMs / 60_000, 'minute', 'minutes')}`,
        ]),
    ...(raised === undefined ? [] : [`raised for ${counted(raised, 'device', 'devices')}`]),
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
        ? [
            'on ',
            ...on.flatMap((type, index) => (index === 0 ? formatType(type) : [', ', ...formatType(type)])),
          ]
        : [
            `schedule: ${schedule.cron} (${schedule.timezone})`,
            ...(schedule.forEach === undefined ? [] : [', for each device']),
            ...(next === undefined ? [] : [', next ', formatTime(next)]),
          ]),
      ...details.map((text) => ` · ${text}`),
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
    ...(serviceAlerts ? [element('p', { class: 'hint' }, 'receives service alerts')] : []),
    ...(digest === undefined
      ? []
      : [element('p', { class: 'hint' }, `digest: ${digest.schedule} (${digest.timezone})`)]),
  );
}

/** @param {AlertsState['silences'][number]} silence */
function silenceRow({ id, match, until, comment }) {
  const matchers = Object.entries(match).map(([name, pattern]) => `${name}=${pattern}`);
  return element(
    'li',
    { 'data-key': id },
    element(
      'p',
      { class: 'line' },
      element('strong', {}, matchers.join(' and ')),
      element('span', {}, comment),
    ),
    element(
      'p',
      { class: 'hint' },
      'until ',
      formatTime(until),
      ' · end with ',
      element('code', {}, `mdm-reflex silence remove ${id}`),
    ),
  );
}
