import { didYouMean } from '../errors/did-you-mean.js';
import { checkEnvReferences } from './check-env-references.js';
import { checkSchema } from './schema-issues.js';
import type { Path, Report } from './model/problem.js';
import { channelInFile, channelName } from './model/rule-schema.js';
import type { ChannelSource } from './model/rule-schema.js';
import { forEachString } from './model/values.js';
import type { Vocabulary } from './model/vocabulary.js';
import { reportRuleIssues } from './rule-file-issues.js';

/** Parses a channel of a file. An invalid channel keeps its name, so that references to it are not reported as well. */
export function parseChannel(
  name: string,
  inFile: unknown,
  vocabulary: Vocabulary,
  place: Path,
  { report, warn }: { readonly report: Report; readonly warn: Report },
): ChannelSource {
  const named = channelName.safeParse(name);
  if (!named.success) {
    const message = named.error.issues[0]?.message ?? 'expected another name';
    report({ code: 'rule/invalid-value', path: place, atKey: true, message });
  }
  const parsed = channelInFile.safeParse(inFile);
  if (!parsed.success) {
    reportRuleIssues(parsed.error.issues, inFile, place, report);
    return { name, type: '', settings: {} };
  }
  const { type, ...settings } = parsed.data;
  const types = vocabulary.channelTypes;
  const signature = Object.hasOwn(types, type) ? types[type] : undefined;
  if (signature === undefined) {
    const all = Object.keys(types);
    const message = `unknown channel type "${type}"${didYouMean(type, all)} (known: ${all.join(', ')})`;
    report({ code: 'rule/unknown-channel-type', path: [...place, 'type'], message });
    return { name, type, settings };
  }
  checkSchema(signature.settings, settings, { place, keyKind: 'setting', report });
  forEachString(settings, place, (text, path) =>
    checkEnvReferences(text, vocabulary, path, { report, warn }),
  );
  return { name, type, settings };
}
