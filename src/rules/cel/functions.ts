import { Environment, EvaluationError } from '@marcbachmann/cel-js';
import ipaddr from 'ipaddr.js';
import { spend } from './cost-budget.js';
import { matchesGlob } from './glob.js';
import { OsVersion } from './os-version.js';
import { matchesPattern } from './regular-expression.js';
import { member } from '../model/values.js';

const TIME = 'google.protobuf.Timestamp';
const DURATION = 'google.protobuf.Duration';

/** CEL's own subtraction of times: the library hands out no durations otherwise. */
const difference = new Environment({ unlistedVariablesAreDyn: true }).parse('later - earlier');

/** What `matches` is replaced by before an expression is evaluated; of the same length, so that places stay right. */
export const SAFE_MATCHES = 'matchRE';

/** What functions know beside their arguments. */
export interface EvaluationContext {
  readonly now: Date;
  /** The device's group: its value, null when it has none, undefined when it has not been looked up. */
  readonly group: unknown;
}

let surroundings: EvaluationContext = { now: new Date(0), group: undefined };

/** Evaluates something in surroundings of its own. Evaluation never waits for anything, so no other can come between. */
export function withEvaluationContext<T>(given: EvaluationContext, evaluate: () => T): T {
  const before = surroundings;
  surroundings = given;
  try {
    return evaluate();
  } finally {
    surroundings = before;
  }
}

/** The name of the function that asks for the device's group, and the path of the fact that it needs. */
export const IN_GROUP = 'in_group';
export const IN_GROUP_PATH: readonly string[] = ['group', 'name'];

/** What conditions can call beside what CEL has itself. */
export const FUNCTIONS: readonly { readonly call: string; readonly about: string }[] = [
  {
    call: 'version(device.os_version) < version("15.1")',
    about: 'Apple versions, rapid security responses like `16.4.1 (a)` too',
  },
  { call: 'age(device.last_seen_at) > duration("336h")', about: 'how long ago a time is' },
  { call: 'until(push_certificate.expires_at) < duration("720h")', about: 'how long a time is ahead' },
  {
    call: 'in_group("Laptops")',
    about: "whether the device is in a device group, by the group's name or id",
  },
  {
    call: 'glob(device.name, "lab-*")',
    about: '`*` stands for anything, `?` for one character, capitals do not matter',
  },
  { call: 'in_cidr(device.last_seen_ip, "203.0.113.0/24")', about: 'whether an address is in a network' },
];

/**
 * Lets expressions call our functions. What they cannot read (a version that is none, an address that is none) is not known, like a
 * null: it does not fire a rule.
 */
export function registerFunctions(environment: Environment): void {
  environment.registerType('Version', OsVersion);
  environment.registerFunction('version(string): Version', (text: string) => readVersion(text));
  const compare: Record<string, (order: number) => boolean> = {
    '<': (order) => order < 0,
    '<=': (order) => order <= 0,
    '>': (order) => order > 0,
    '>=': (order) => order >= 0,
    // Registering it brings != along.
    '==': (order) => order === 0,
  };
  for (const [operator, holds] of Object.entries(compare)) {
    environment.registerOperator(`Version ${operator} Version`, (a: OsVersion, b: OsVersion) =>
      holds(a.compare(b)),
    );
  }
  environment.registerFunction(`age(${TIME}): ${DURATION}`, (time: Date): unknown =>
    difference({ later: surroundings.now, earlier: time }),
  );
  environment.registerFunction(`until(${TIME}): ${DURATION}`, (time: Date): unknown =>
    difference({ later: time, earlier: surroundings.now }),
  );
  for (const type of ['string', 'int']) {
    environment.registerFunction(`${IN_GROUP}(${type}): bool`, (group: string | bigint) => isInGroup(group));
  }
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

function isInGroup(given: string | bigint): boolean {
  const { group } = surroundings;
  const [name, id] = ['name', 'id'].map((field) => member(group, field));
  if (name === undefined && id === undefined) throw notKnown('the group of the device is not known');
  return given === name || String(given) === String(id);
}

function readVersion(text: string): OsVersion {
  const version = OsVersion.parse(text);
  if (version === undefined) throw notKnown(`"${text}" is no version such as "15.1" or "16.4.1 (a)"`);
  return version;
}

function isInNetwork(address: string, network: string): boolean {
  if (!ipaddr.isValidCIDR(network)) throw notKnown(`"${network}" is no network such as "203.0.113.0/24"`);
  if (!ipaddr.isValid(address)) throw notKnown(`"${address}" is no address`);
  const range = ipaddr.parseCIDR(network);
  const [of] = range;
  const given = ipaddr.process(address);
  return given.kind() === of.kind() && given.match(range);
}

/** The code of an operand that does not fit: what is not known does not fire a rule. */
function notKnown(message: string): EvaluationError {
  return new EvaluationError({ code: UNKNOWN, message });
}

/** The code of what a function could not read. */
export const UNKNOWN = 'not_known';

/** What is wrong with the network that a rule names, if anything: it is told when the file loads. */
export function problemWithNetwork(network: string): string | undefined {
  return ipaddr.isValidCIDR(network) ? undefined : `"${network}" is no network such as "203.0.113.0/24"`;
}
