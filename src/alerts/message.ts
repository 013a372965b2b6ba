import { SEVERITIES } from './alert.js';
import type { Alert, Severity } from './alert.js';
import { truncate, displayLine, displayText } from './display-text.js';

/** One line of a message. */
export interface MessageItem {
  readonly title: string;
  readonly link: string | undefined;
}

/** One group of alerts in a message. */
export interface MessageSection {
  /** Undefined when the message has one section: the title is its heading. */
  readonly heading: string | undefined;
  readonly items: readonly MessageItem[];
  /** How many alerts are not among the items. */
  readonly more: number;
}

/** What a channel sends: one alert in full, or a summary of many. All strings are plain text; each channel escapes them. */
export interface Message {
  /** The same for every attempt. */
  readonly id: string;
  readonly title: string;
  /** The text of the alert; empty when there are several. */
  readonly text: string;
  readonly severity: Severity;
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  /** Empty for a single alert. */
  readonly sections: readonly MessageSection[];
  /** How many groups have no section. */
  readonly moreGroups: number;
  /** The number of alerts. */
  readonly count: number;
  /** A page of the console that shows the alerts. */
  readonly link: string | undefined;
  /** ISO 8601. */
  readonly at: string;
}

/** Alerts with equal group labels. */
interface AlertGroup {
  readonly alerts: readonly Alert[];
  /** How many more alerts are only counted. */
  readonly more?: number;
}

const MAX_SECTIONS = 10;
/** Default for the lines of a section; a channel may allow more. */
const MAX_LINES = 10;
const MAX_TITLE_LENGTH = 200;
/** For messages with several groups: 10 sections of 10 lines must fit into the 30 KB that chats accept. */
const MAX_LINE_LENGTH = 80;
/** More than a person reads. */
const MAX_TEXT_LENGTH = 50_000;

/**
 * Composes a message: one alert in full, several as their number and the first of them.
 *
 * @param consoleUrl - The base URL of the console, for links.
 * @param maxLines - How many lines a section shows.
 */
export function composeMessage(
  id: string,
  groups: readonly AlertGroup[],
  at: Date,
  consoleUrl: string | undefined,
  maxLines = MAX_LINES,
): Message {
  const all = groups.flatMap(({ alerts }) => alerts);
  const count = groups.reduce((sum, group) => sum + countOf(group), 0);
  const severity = highestSeverity(all);
  const base = { id, severity, count, at: at.toISOString() };
  const [first] = all;
  if (first !== undefined && count === 1) {
    return {
      ...base,
      title: titleOf(first, MAX_TITLE_LENGTH),
      text: truncate(displayText(first.text).trim(), MAX_TEXT_LENGTH),
      fields: fieldsOf(first),
      sections: [],
      moreGroups: 0,
      link: linkTo(consoleUrl, first),
    };
  }
  const several = groups.length > 1;
  return {
    ...base,
    title: several || first === undefined ? `${count} alerts` : headingOf(first, count, MAX_TITLE_LENGTH),
    text: '',
    fields: several || first === undefined ? [] : fieldsInCommon(all),
    sections: groups
      .slice(0, MAX_SECTIONS)
      .map((group) => sectionOf(group, { several, consoleUrl, maxLines })),
    moreGroups: Math.max(0, groups.length - MAX_SECTIONS),
    link: linkToAll(consoleUrl, all),
  };
}

function sectionOf(
  group: AlertGroup,
  {
    several,
    consoleUrl,
    maxLines,
  }: { readonly several: boolean; readonly consoleUrl: string | undefined; readonly maxLines: number },
): MessageSection {
  const maxLength = several ? MAX_LINE_LENGTH : MAX_TITLE_LENGTH;
  const shown = group.alerts.slice(0, maxLines);
  const [first] = shown;
  // Equal titles do not tell the alerts apart, so the lines name the devices.
  const same = shown.every(({ title }) => title === first?.title);
  return {
    heading: several && first !== undefined ? headingOf(first, countOf(group), maxLength) : undefined,
    items: shown.map((alert) => {
      const device = same ? displayLine(alert.device?.name ?? '', maxLength) : '';
      return { title: device === '' ? titleOf(alert, maxLength) : device, link: linkTo(consoleUrl, alert) };
    }),
    more: countOf(group) - shown.length,
  };
}

const countOf = ({ alerts, more = 0 }: AlertGroup): number => alerts.length + more;

/** A visible title: services reject a blank one. */
function titleOf({ title, description, rule }: Alert, maxLength: number): string {
  const lines = [title, description ?? '', rule ?? ''].map((text) => displayLine(text, maxLength));
  return lines.find((line) => line !== '') ?? 'Untitled message';
}

function headingOf(alert: Alert, count: number, maxLength: number): string {
  const { description, rule, title } = alert;
  return truncate(
    `${count} × ${titleOf({ ...alert, title: description ?? rule ?? title }, maxLength)}`,
    maxLength,
  );
}

function fieldsOf({ device, rule, account }: Alert): { name: string; value: string }[] {
  const name = displayLine(device?.name ?? '', MAX_TITLE_LENGTH);
  const deviceName = name === '' && device?.id !== undefined ? `device ${device.id}` : name;
  return [
    ...(deviceName === '' ? [] : [{ name: 'Device', value: deviceName }]),
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

function highestSeverity(alerts: readonly Alert[]): Severity {
  const rank = alerts.reduce((highest, { severity }) => Math.max(highest, SEVERITIES.indexOf(severity)), 0);
  return SEVERITIES[rank] ?? 'info';
}
