import { isIP } from 'node:net';

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;

/** Whether a text can be the name in EHLO. */
export const isHostName = (text: string): boolean => HOST_NAME.test(text) && isIP(text) === 0;

/**
 * The name that the service gives in EHLO: mail servers refuse or distrust a name such as that of a container. Undefined when there is
 * no better one than the name of the machine.
 *
 * @param publicUrl - The address of this service.
 */
export function helloName(setting: string | undefined, publicUrl: string | undefined): string | undefined {
  if (setting !== undefined) return setting;
  if (publicUrl === undefined || !URL.canParse(publicUrl)) return undefined;
  const host = new URL(publicUrl).hostname.replace(/^\[|\]$/g, '');
  // RFC 5321, section 4.1.3: an address instead of a name is in brackets.
  if (isIP(host) === 4) return `[${host}]`;
  if (isIP(host) === 6) return `[IPv6:${host}]`;
  return isHostName(host) && host.includes('.') ? host : undefined;
}
