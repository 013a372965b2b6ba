import { didYouMean } from '../../errors/did-you-mean.js';

/** The problem with a name of the IANA time zone database, if any. */
export function problemWithTimezone(name: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return undefined;
  } catch {
    const hint = didYouMean(name, Intl.supportedValuesOf('timeZone'));
    return `unknown time zone "${name}"${hint === '' ? '; expected a name such as Europe/Berlin' : hint}`;
  }
}
