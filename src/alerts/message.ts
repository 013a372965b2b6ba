import { SEVERITIES } from './alert.js';
import type { Alert, Severity } from './alert.js';

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
  readonly count: number;
  /** The console, where all of it can be seen. */
  readonly link: string | undefined;
  /** ISO 8601. */
  readonly at: string;
}

/** Alerts that go together. */
export interface AlertGroup {
  readonly alerts: readonly Alert[];
}

/** So many lines of a group are shown. */
const SHOWN = 10;
const LONGEST_TITLE = 200;

/**
 * Makes a message of alerts: one as it is, several as their number and the first ten of them.
 *
 * @param consoleUrl - Where the console is; messages link to it.
 */
export function composeMessage(
  id: string,
  groups: readonly AlertGroup[],
  at: Date,
  consoleUrl: string | undefined,
): Message {
  const all = groups.flatMap(({ alerts }) => alerts);
  const count = all.length;
  const severity = highest(all);
  const base = { id, severity, count, at: at.toISOString() };
  const [first] = all;
  if (first !== undefined && count === 1) {
    return {
      ...base,
      title: oneLine(first.title),
      text: first.text,
      fields: fieldsOf(first),
      sections: [],
      link: linkTo(consoleUrl, first),
    };
  }
  const several = groups.length > 1;
  return {
    ...base,
    title: several || first === undefined ? `${count} messages` : headingOf(first, count),
    text: '',
    fields: several || first === undefined ? [] : fieldsInCommon(all),
    sections: groups.map((group) => sectionOf(group, several, consoleUrl)),
    link: linkToAll(consoleUrl, all),
  };
}

function sectionOf({ alerts }: AlertGroup, several: boolean, consoleUrl: string | undefined): MessageSection {
  const shown = alerts.slice(0, SHOWN);
  const [first] = shown;
  // Titles that say all the same say nothing: then the devices are named.
  const same = shown.every(({ title }) => title === first?.title);
  return {
    heading: several && first !== undefined ? headingOf(first, alerts.length) : undefined,
    items: shown.map((alert) => ({
      title: oneLine((same ? alert.device?.name : undefined) ?? alert.title),
      link: linkTo(consoleUrl, alert),
    })),
    more: alerts.length - shown.length,
  };
}

function headingOf({ description, rule, title }: Alert, count: number): string {
  return oneLine(`${count} × ${description ?? rule ?? title}`);
}

function fieldsOf({ device, rule, account }: Alert): { name: string; value: string }[] {
  const name = device?.name ?? (device?.id === undefined ? undefined : `device ${device.id}`);
  return [
    ...(name === undefined ? [] : [{ name: 'Device', value: oneLine(name) }]),
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
  const ranks = alerts.map(({ severity }) => SEVERITIES.indexOf(severity));
  return SEVERITIES[Math.max(0, ...ranks)] ?? 'info';
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= LONGEST_TITLE ? line : `${line.slice(0, LONGEST_TITLE - 1)}…`;
}
