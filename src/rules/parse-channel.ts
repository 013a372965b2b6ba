import { z } from 'zod';
import { didYouMean } from '../errors/did-you-mean.js';
import { checkEnvReferences } from './check-env-references.js';
import { checkSchema } from './schema-issues.js';
import type { Path, Report } from './model/problem.js';
import { channelInFile, channelName } from './model/rule-schema.js';
import type { ChannelSource } from './model/rule-schema.js';
import { forEachString } from './model/values.js';
import type { Vocabulary } from './model/vocabulary.js';
import { reportRuleIssues } from './rule-file-issues.js';
import { withTextsAsWritten } from './texts-as-written.js';
import type { TakeText } from './texts-as-written.js';

const record = z.record(z.string(), z.unknown());

/** Parses a channel of a file. An invalid channel keeps its name, so that references to it are not reported as well. */
export function parseChannel(
  name: string,
  inFile: unknown,
  vocabulary: Vocabulary,
  place: Path,
  { report, warn, takeText }: { readonly report: Report; readonly warn: Report; readonly takeText: TakeText },
): ChannelSource {
  const named = channelName.safeParse(name);
  if (!named.success) {
    const message = named.error.issues[0]?.message ?? 'expected another name';
    report({ code: 'rule/invalid-value', path: place, atKey: true, message });
  }
  const parsed = channelInFile.safeParse(withTextsAsWritten(channelInFile, inFile, place, takeText));
  if (!parsed.success) {
    reportRuleIssues(parsed.error.issues, inFile, place, report);
    return { name, type: '', settings: {} };
  }
  const { type, ...inSettings } = parsed.data;
  const types = vocabulary.channelTypes;
  const signature = Object.hasOwn(types, type) ? types[type] : undefined;
  if (signature === undefined) {
    const all = Object.keys(types);
    const message = `unknown channel type "${type}"${didYouMean(type, all)} (known: ${all.join(', ')})`;
    report({ code: 'rule/unknown-channel-type', path: [...place, 'type'], message });
    return { name, type, settings: inSettings };
  }
  const settings = record.parse(withTextsAsWritten(signature.settings, inSettings, place, takeText));
  checkSchema(signature.settings, settings, { place, keyKind: 'setting', report });
  forEachString(settings, place, (text, path) =>
    checkEnvReferences(text, vocabulary, path, { report, warn }),
  );
  return { name, type, settings };
}
