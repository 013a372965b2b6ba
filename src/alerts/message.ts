import { SEVERITIES } from './alert.js';
import type { Alert, Severity } from './alert.js';
import { truncate, displayLine, displayText } from './display-text.js';

/** One line of a message. */
export interface MessageItem {
  readonly title: string;
  readonly link: string | undefined;
}

/** What a message says of one group of alerts. */
export interface MessageSection {
  /** Undefined when the message has one section: its title says it already. */
  readonly heading: string | undefined;
  readonly items: readonly MessageItem[];
  /** How many more there are than items. */
  readonly more: number;
}

/** What a channel sends: one alert, or many in short. Plain text throughout; each channel escapes it for itself. */
export interface Message {
  /** The same whenever it is sent again. */
  readonly id: string;
  readonly title: string;
  /** What the alert says; empty when there are several. */
  readonly text: string;
  readonly severity: Severity;
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  /** Empty when there is one alert. */
  readonly sections: readonly MessageSection[];
  /** How many more groups there are than sections. */
  readonly moreGroups: number;
  readonly count: number;
  /** The console, where all of it can be seen. */
  readonly link: string | undefined;
  /** ISO 8601. */
  readonly at: string;
}

/** Alerts that go together. */
interface AlertGroup {
  readonly alerts: readonly Alert[];
  /** How many more there are, of which only the number is known. */
  readonly more?: number;
}

/** So many groups are shown. */
const MOST_GROUPS = 10;
/** So many lines of a group are shown, unless a channel has room for more. */
const MOST_LINES = 10;
const LONGEST_TITLE = 200;
/** Of a message with several groups: ten times ten lines have to fit where chats take some thirty kilobytes. */
const LONGEST_LINE = 80;
/** Longer than anything that a person reads in a message. */
const LONGEST_TEXT = 50_000;

/**
 * Makes a message of alerts: one as it is, several as their number and the first of them.
 *
 * @param consoleUrl - Where the console is; messages link to it.
 * @param mostLines - How many lines of a group are shown.
 */
export function composeMessage(
  id: string,
  groups: readonly AlertGroup[],
  at: Date,
  consoleUrl: string | undefined,
  mostLines = MOST_LINES,
): Message {
  const all = groups.flatMap(({ alerts }) => alerts);
  const count = groups.reduce((sum, group) => sum + countOf(group), 0);
  const severity = highest(all);
  const base = { id, severity, count, at: at.toISOString() };
  const [first] = all;
  if (first !== undefined && count === 1) {
    return {
      ...base,
      title: titleOf(first, LONGEST_TITLE),
      text: truncate(displayText(first.text).trim(), LONGEST_TEXT),
      fields: fieldsOf(first),
      sections: [],
      moreGroups: 0,
      link: linkTo(consoleUrl, first),
    };
  }
  const several = groups.length > 1;
  return {
    ...base,
    title: several || first === undefined ? `${count} messages` : headingOf(first, count, LONGEST_TITLE),
    text: '',
    fields: several || first === undefined ? [] : fieldsInCommon(all),
    sections: groups
      .slice(0, MOST_GROUPS)
      .map((group) => sectionOf(group, { several, consoleUrl, mostLines })),
    moreGroups: Math.max(0, groups.length - MOST_GROUPS),
    link: linkToAll(consoleUrl, all),
  };
}

function sectionOf(
  group: AlertGroup,
  {
    several,
    consoleUrl,
    mostLines,
  }: { readonly several: boolean; readonly consoleUrl: string | undefined; readonly mostLines: number },
): MessageSection {
  const longest = several ? LONGEST_LINE : LONGEST_TITLE;
  const shown = group.alerts.slice(0, mostLines);
  const [first] = shown;
  // Titles that say all the same say nothing: then the devices are named.
  const same = shown.every(({ title }) => title === first?.title);
  return {
    heading: several && first !== undefined ? headingOf(first, countOf(group), longest) : undefined,
    items: shown.map((alert) => {
      const device = same ? displayLine(alert.device?.name ?? '', longest) : '';
      return { title: device === '' ? titleOf(alert, longest) : device, link: linkTo(consoleUrl, alert) };
    }),
    more: countOf(group) - shown.length,
  };
}

const countOf = ({ alerts, more = 0 }: AlertGroup): number => alerts.length + more;

/** Services refuse a title in which nothing can be seen. */
function titleOf({ title, description, rule }: Alert, most: number): string {
  const lines = [title, description ?? '', rule ?? ''].map((text) => displayLine(text, most));
  return lines.find((line) => line !== '') ?? 'A message without a title';
}

function headingOf(alert: Alert, count: number, most: number): string {
  const { description, rule, title } = alert;
  return truncate(`${count} × ${titleOf({ ...alert, title: description ?? rule ?? title }, most)}`, most);
}

function fieldsOf({ device, rule, account }: Alert): { name: string; value: string }[] {
  const name = displayLine(device?.name ?? '', LONGEST_TITLE);
  const known = name === '' && device?.id !== undefined ? `device ${device.id}` : name;
  return [
    ...(known === '' ? [] : [{ name: 'Device', value: known }]),
    ...(rule === undefined ? [] : [{ name: 'Rule', value: rule }]),
    { name: 'Account', value: account },
  ];
}

function fieldsInCommon(alerts: readonly Alert[]): { name: string; value: string }[] {
  const [first, ...others] = alerts;
  if (first === undefined) return [];
  return fieldsOf(first).filter(({ name, value }) =>
    others.every((other) => fieldsOf(other).some((field) => field.name === name && field.value === value)),
  );
}

function linkTo(consoleUrl: string | undefined, { event }: Alert): string | undefined {
  return consoleUrl === undefined || event === undefined ? consoleUrl : `${consoleUrl}/#${event.id}`;
}

function linkToAll(consoleUrl: string | undefined, alerts: readonly Alert[]): string | undefined {
  const [first, ...others] = alerts;
  const rule = first?.rule;
  if (consoleUrl === undefined || rule === undefined || others.some((other) => other.rule !== rule))
    return consoleUrl;
  return `${consoleUrl}/?${new URLSearchParams({ rule }).toString()}`;
}

function highest(alerts: readonly Alert[]): Severity {
  const rank = alerts.reduce((most, { severity }) => Math.max(most, SEVERITIES.indexOf(severity)), 0);
  return SEVERITIES[rank] ?? 'info';
}
