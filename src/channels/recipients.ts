import { domainToASCII } from 'node:url';
import addressparser from 'nodemailer/lib/addressparser';

/** What a message is sent to, and what is not. */
export interface Recipients {
  readonly to: readonly string[];
  /** The recipients of the rule that do not get the message, and why. */
  readonly refused: readonly string[];
  /** Whether the recipients of the channel stand in, because none of the rule's is left. */
  readonly isFallback: boolean;
}

/** Dot-atom (RFC 5321) without `%` and `!`, with which some servers route a message on. */
const LOCAL_PART = /^[A-Za-z0-9#$&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9#$&'*+/=?^_`{|}~-]+)*$/;
const DOMAIN =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const MAX_LOCAL_LENGTH = 64;
const MAX_ADDRESS_LENGTH = 254;

/**
 * A plain address with its domain in ASCII, or undefined for anything else: several addresses, a display name, a comment, a quoted
 * local part, a line break. An address comes from a device or a user, so nothing is repaired.
 */
export function plainAddress(text: string): string | undefined {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const domain = asciiDomain(text.slice(at + 1));
  if (at < 1 || domain === undefined || local.length > MAX_LOCAL_LENGTH || !LOCAL_PART.test(local))
    return undefined;
  const address = `${local}@${domain}`;
  if (address.length > MAX_ADDRESS_LENGTH) return undefined;
  // What the mail library reads must be this one address.
  const parsed = addressparser(address);
  return parsed.length === 1 && parsed[0]?.address === address ? address : undefined;
}

/** A domain in ASCII and lower case, or undefined when the text is none. */
export function asciiDomain(text: string): string | undefined {
  // The URL parser would also accept these and cut or decode them.
  if (/[\s/\\?#@:%[\]<>^|]/.test(text)) return undefined;
  const domain = domainToASCII(text);
  return DOMAIN.test(domain) && !/^[\d.]+$/.test(domain) ? domain : undefined;
}

/** Why an address may not be sent to, or undefined. Subdomains are not included in a domain. */
export function problemWithAddress(text: string, domains: readonly string[]): string | undefined {
  const address = plainAddress(text);
  if (address === undefined) return text === '' ? 'is empty' : 'is no plain e-mail address';
  const allowed = domains.map(asciiDomain);
  return allowed.includes(address.slice(address.lastIndexOf('@') + 1))
    ? undefined
    : `is outside of to_domains (${domains.join(', ') || 'none'})`;
}

/**
 * Who gets a message: the recipients that the rule names and the channel allows. When there are none, the recipients of the channel,
 * because a message that nobody gets is the worst outcome.
 */
export function recipientsOf(
  named: readonly string[] | undefined,
  channel: { readonly to: readonly string[]; readonly to_domains: readonly string[] },
): Recipients {
  if (named === undefined) return { to: channel.to, refused: [], isFallback: false };
  const problems = named.map((text) => ({ text, problem: problemWithAddress(text, channel.to_domains) }));
  const refused = problems.flatMap(({ text, problem }) =>
    problem === undefined ? [] : [`${JSON.stringify(text)}, which ${problem}`],
  );
  const allowed = new Set(
    problems.flatMap(({ text, problem }) => (problem === undefined ? (plainAddress(text) ?? []) : [])),
  );
  return allowed.size === 0
    ? { to: channel.to, refused, isFallback: true }
    : { to: [...allowed], refused, isFallback: false };
}
