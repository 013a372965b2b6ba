import { SEVERITIES, titleWithStatus } from './alert.js';
import type { Alert, AlertStatus, Severity } from './alert.js';
import { hashOfKey } from './dedup-key.js';
import { truncate, displayLine, displayText } from './display-text.js';

/** One alert in a section of a message. */
export interface MessageItem {
  readonly title: string;
  /** Empty when the alert has none, or when it is the text of the section. */
  readonly text: string;
  readonly link: string | undefined;
}

/** One group of alerts in a message. */
export interface MessageSection {
  /** Undefined when the message has one section: the title is its heading. */
  readonly heading: string | undefined;
  /** The text of all alerts, when it is the same; otherwise empty. */
  readonly text: string;
  readonly items: readonly MessageItem[];
  /** How many alerts are not among the items. */
  readonly more: number;
}

/** One alert of a message, for machines. */
export interface MessageAlert {
  readonly key: string | undefined;
  readonly status: AlertStatus;
  readonly title: string;
  readonly text: string;
  readonly severity: Severity;
  readonly device: { readonly id: number | undefined; readonly name: string | undefined };
  readonly at: string;
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
  /** A page that a person must open. */
  readonly action: { readonly url: string; readonly label: string } | undefined;
  /** The dedup key, when all alerts have the same one. */
  readonly key: string | undefined;
  /** `resolved` when all alerts say so. */
  readonly status: AlertStatus;
  /** The same for an alert and the one that resolves it, when the message contains only this alert. */
  readonly sequence: string | undefined;
  /** Recipients in place of those of the channel, as the rule names them. */
  readonly to: readonly string[] | undefined;
  readonly alerts: readonly MessageAlert[];
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
/** The text of one alert among several. Each channel shortens the texts further, to what its service accepts. */
const MAX_ITEM_TEXT_LENGTH = 5000;
const MAX_LABEL_LENGTH = 40;
/** Unique enough, and short enough for every service. */
const SEQUENCE_LENGTH = 32;

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
  const [first] = all;
  const status =
    all.length > 0 && all.every((alert) => alert.status === 'resolved') ? 'resolved' : 'triggered';
  const base = {
    id,
    // A problem that is over calls nobody.
    severity: highestSeverity(all.filter((alert) => alert.status === 'triggered')),
    count,
    at: at.toISOString(),
    status,
    key: all.every(({ key }) => key === first?.key) ? first?.key : undefined,
    sequence: count === 1 && first !== undefined ? sequenceOf(first) : undefined,
    // The groups of a message have the same recipients.
    to: first?.to,
    action: count === 1 ? actionOf(first?.link) : undefined,
    alerts: all.map(machineReadable),
  } as const;
  if (first !== undefined && count === 1) {
    return {
      ...base,
      title: titleOf(first, MAX_TITLE_LENGTH),
      text: textOf(first, MAX_TEXT_LENGTH),
      fields: fieldsOf(first),
      sections: [],
      moreGroups: 0,
      link: linkTo(consoleUrl, first),
    };
  }
  const several = groups.length > 1;
  return {
    ...base,
    title:
      several || first === undefined ? `${count} alerts` : headingOf(first, all, count, MAX_TITLE_LENGTH),
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
  const same = shown.every(({ title, status }) => title === first?.title && status === first.status);
  const text = first === undefined ? '' : textOf(first, MAX_ITEM_TEXT_LENGTH);
  const isCommon =
    shown.length > 1 && group.alerts.every((alert) => textOf(alert, MAX_ITEM_TEXT_LENGTH) === text);
  return {
    heading:
      several && first !== undefined ? headingOf(first, group.alerts, countOf(group), maxLength) : undefined,
    text: isCommon ? text : '',
    items: shown.map((alert) => {
      const device = same ? displayLine(alert.device?.name ?? '', maxLength) : '';
      return {
        title: device === '' ? titleOf(alert, maxLength) : device,
        text: isCommon ? '' : textOf(alert, MAX_ITEM_TEXT_LENGTH),
        link: linkTo(consoleUrl, alert),
      };
    }),
    more: countOf(group) - shown.length,
  };
}

const countOf = ({ alerts, more = 0 }: AlertGroup): number => alerts.length + more;

/** A visible title: services reject a blank one. */
function titleOf({ title, description, rule, status }: Alert, maxLength: number): string {
  const lines = [title, description ?? '', rule ?? ''].map((text) => displayLine(text, maxLength));
  const line = lines.find((text) => text !== '') ?? 'Untitled message';
  return truncate(titleWithStatus({ title: line, status }), maxLength);
}

function headingOf(alert: Alert, all: readonly Alert[], count: number, maxLength: number): string {
  const { description, rule, title } = alert;
  const what = titleOf({ ...alert, status: 'triggered', title: description ?? rule ?? title }, maxLength);
  const heading = `${count} × ${what}`;
  const status = all.every((one) => one.status === 'resolved') ? 'resolved' : 'triggered';
  return truncate(titleWithStatus({ title: heading, status }), maxLength);
}

/** The text of an alert, and what it lacks. */
function textOf({ text, notes = [] }: Alert, maxLength: number): string {
  const lines = notes.map((note) => displayLine(note, MAX_TITLE_LENGTH)).filter((line) => line !== '');
  const note = lines.map((line) => `\u26a0\ufe0f ${line}`).join('\n');
  const left = maxLength - note.length;
  // Services reject a text of invisible characters like an empty one.
  const visible = displayLine(text, MAX_TITLE_LENGTH) === '' ? '' : displayText(text).trim();
  return [truncate(visible, Math.max(left, 1)), note].filter((part) => part !== '').join('\n\n');
}

function actionOf(link: Alert['link']): Message['action'] {
  if (link === undefined) return undefined;
  // Percent-encoded, so that no character of the address is markup.
  return { url: new URL(link.url).href, label: displayLine(link.label, MAX_LABEL_LENGTH) || 'Open' };
}

function sequenceOf({ key, id, updates }: Alert): string | undefined {
  return key === undefined ? undefined : hashOfKey(updates ?? id).slice(0, SEQUENCE_LENGTH);
}

const machineReadable = ({ key, status, severity, device, at, ...rest }: Alert): MessageAlert => ({
  key,
  status,
  title: titleOf({ ...rest, severity, at, status: 'triggered' }, MAX_TITLE_LENGTH),
  text: textOf({ ...rest, severity, at, status }, MAX_ITEM_TEXT_LENGTH),
  severity,
  device: {
    id: device?.id,
    name: device?.name === undefined ? undefined : displayLine(device.name, MAX_TITLE_LENGTH),
  },
  at,
});

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
