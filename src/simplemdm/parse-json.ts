import { withExactNumbers } from '../http/exact-numbers.js';
import { withoutSecrets } from './secrets.js';

/**
 * Parses JSON. A number that JavaScript would change (an ICCID as a number) becomes text with all its digits. Drops the secrets of devices
 * unless `revealSecrets` is on.
 *
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string, revealSecrets: boolean): unknown {
  const value: unknown = JSON.parse(withExactNumbers(text), revealSecrets ? undefined : withoutSecrets);
  return value;
}
