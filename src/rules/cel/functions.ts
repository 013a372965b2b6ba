import { Environment } from '@marcbachmann/cel-js';
import ipaddr from 'ipaddr.js';
import { spend } from './cost-budget.js';
import { matchesGlob } from './glob.js';
import { OsVersion } from './os-version.js';
import { matchesPattern } from './regular-expression.js';
import { isInAssignmentGroup, isInGroup } from './group-membership.js';
import { isDuring } from './business-hours.js';
import { unknown } from './unknown-value.js';

const TIME = 'google.protobuf.Timestamp';
const DURATION = 'google.protobuf.Duration';

/** CEL's subtraction of times: the library offers no other way to make a duration. */
const difference = new Environment({ unlistedVariablesAreDyn: true }).parse('later - earlier');

/** Replaces `matches` before evaluation. It has the same length, so that offsets stay right. */
export const SAFE_MATCHES = 'matchRE';

/** What functions can read beside their arguments. */
export interface EvaluationContext {
  readonly now: Date;
  /** The group of the device: null when it has none, undefined when it was not looked up. */
  readonly group: unknown;
  /** The assignment groups of the device: null when there is no device, undefined when they were not looked up. */
  readonly assignmentGroups: unknown;
}

let context: EvaluationContext = { now: new Date(0), group: undefined, assignmentGroups: undefined };

/** Evaluates with a context. Evaluation is synchronous, so evaluations never interleave. */
export function withEvaluationContext<T>(given: EvaluationContext, evaluate: () => T): T {
  const outer = context;
  context = given;
  try {
    return evaluate();
  } finally {
    context = outer;
  }
}

/** The functions that check the groups of the device, and the paths of the facts that they read. */
export const IN_GROUP = 'in_group';
export const IN_ASSIGNMENT_GROUP = 'in_assignment_group';
export const GROUP_PATHS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  [IN_GROUP]: [['group', 'name'], ['assignment_groups']],
  [IN_ASSIGNMENT_GROUP]: [['assignment_groups']],
};

/** The functions that conditions can call beside CEL's own. */
export const FUNCTIONS: readonly { readonly call: string; readonly about: string }[] = [
  {
    call: 'version(device.os_version) < version("15.1")',
    about: 'A version that you can compare, such as `15.1` or `16.4.1 (a)`.',
  },
  { call: 'age(device.last_seen_at) > duration("336h")', about: 'How long ago a time was.' },
  { call: 'until(push_certificate.expires_at) < duration("720h")', about: 'How long it is until a time.' },
  {
    call: 'in_group("Laptops")',
    about:
      'Whether the device is in a group with this name, be it its device group or an assignment group. A number is the id of a device group.',
  },
  {
    call: 'in_assignment_group("Kiosk apps")',
    about:
      'Whether the device is in an assignment group, by itself or through its device group. Give the name or the id of the group.',
  },
  {
    call: 'during("Mon-Fri 09:00-17:00", "Europe/Berlin")',
    about:
      'Whether it is now one of these [hours](guides/schedules.md#business-hours). Separate several ranges by commas.',
  },
  {
    call: 'glob(device.name, "lab-*")',
    about: 'Whether a text matches a pattern: `*` matches anything, `?` one character. Case does not matter.',
  },
  { call: 'in_cidr(device.last_seen_ip, "203.0.113.0/24")', about: 'Whether an IP address is in a network.' },
];

/**
 * Registers the functions of rules. An argument that they cannot parse, such as an invalid version or address, is unknown like a
 * null: no rule matches on it.
 */
export function registerFunctions(environment: Environment): void {
  environment.registerType('Version', OsVersion);
  environment.registerFunction('version(string): Version', (text: string) => parseVersion(text));
  const operators: Record<string, (order: number) => boolean> = {
    '<': (order) => order < 0,
    '<=': (order) => order <= 0,
    '>': (order) => order > 0,
    '>=': (order) => order >= 0,
    // Registering == adds !=.
    '==': (order) => order === 0,
  };
  for (const [operator, holds] of Object.entries(operators)) {
    environment.registerOperator(`Version ${operator} Version`, (a: OsVersion, b: OsVersion) =>
      holds(a.compare(b)),
    );
  }
  // Part of the CEL standard, and missing in the library: `timestamp(event.at)` is what one writes.
  environment.registerFunction(`timestamp(${TIME}): ${TIME}`, (time: Date) => time);
  environment.registerFunction(`age(${TIME}): ${DURATION}`, (time: Date): unknown =>
    difference({ later: context.now, earlier: time }),
  );
  environment.registerFunction(`until(${TIME}): ${DURATION}`, (time: Date): unknown =>
    difference({ later: time, earlier: context.now }),
  );
  for (const type of ['string', 'int']) {
    environment.registerFunction(`${IN_GROUP}(${type}): bool`, (group: string | bigint) =>
      isInGroup(group, context),
    );
    environment.registerFunction(`${IN_ASSIGNMENT_GROUP}(${type}): bool`, (group: string | bigint) =>
      isInAssignmentGroup(group, context),
    );
  }
  environment.registerFunction('during(string, string): bool', (hours: string, timezone: string) =>
    isDuring(hours, timezone, context.now),
  );
  environment.registerFunction('glob(string, string): bool', (text: string, pattern: string) => {
    spend((text.length * pattern.length) / 10);
    return matchesGlob(text, pattern);
  });
  environment.registerFunction(`string.${SAFE_MATCHES}(string): bool`, (text: string, pattern: string) =>
    matchesPattern(text, pattern, spend),
  );
  environment.registerFunction('in_cidr(string, string): bool', (address: string, network: string) =>
    isInNetwork(address, network),
  );
}

function parseVersion(text: string): OsVersion {
  const version = OsVersion.parse(text);
  if (version === undefined) throw unknown(`"${text}" is not a version such as "15.1" or "16.4.1 (a)"`);
  return version;
}

function isInNetwork(address: string, network: string): boolean {
  if (!ipaddr.isValidCIDR(network)) throw unknown(`"${network}" is not a network such as "203.0.113.0/24"`);
  if (!ipaddr.isValid(address)) throw unknown(`"${address}" is not an IP address`);
  const range = ipaddr.parseCIDR(network);
  const [of] = range;
  const given = ipaddr.process(address);
  return given.kind() === of.kind() && given.match(range);
}

/** The problem with a literal network in a rule, if any. */
export function problemWithNetwork(network: string): string | undefined {
  return ipaddr.isValidCIDR(network) ? undefined : `"${network}" is not a network such as "203.0.113.0/24"`;
}
