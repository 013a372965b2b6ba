import { isScalar, visit } from 'yaml';
import type { Document } from 'yaml';

/** Makes each key of a YAML file the text that the file has: YAML reads the key `0x1F` as "31". */
export function keepKeysAsWritten(document: Document): void {
  visit(document, {
    Pair: (_key, { key }) => {
      if (isScalar(key) && typeof key.value !== 'string' && (key.source ?? '') !== '') key.value = key.source;
    },
  });
}
