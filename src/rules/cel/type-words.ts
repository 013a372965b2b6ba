const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  double: 'number',
  int: 'number',
  uint: 'number',
  'google.protobuf.Timestamp': 'time',
  'google.protobuf.Duration': 'duration',
  Version: 'version',
  dyn: 'value',
  map: 'record',
};

/** A CEL type as one word: `text`, `number`, `record`. */
export function typeWord(type: string): string {
  if (/^list\b/.test(type)) return 'list';
  if (/^(?:Fact_|map\b)/.test(type)) return 'record';
  return WORDS[type] ?? type;
}

/** A CEL type with its article, as in "this is a text". */
export function typeInWords(type: string): string {
  const word = typeWord(type);
  if (word === 'bool') return 'true or false';
  return word === 'null' ? 'null' : `a ${word}`;
}
