import { envReferencesIn } from '../config/env-reference.js';
import { isTemplate } from './liquid/template.js';
import type { Path } from './model/problem.js';
import type { ActionSignature, Vocabulary } from './model/vocabulary.js';
import type { Scope } from './scope.js';

/** Reports recipients that a channel of the step does not allow: when the file loads, not when the first message is lost. */
export function checkRecipients(
  { recipientsIn, refersTo = {} }: ActionSignature,
  args: Readonly<Record<string, unknown>>,
  place: Path,
  { vocabulary, report }: Pick<Scope, 'vocabulary' | 'report'>,
): void {
  if (recipientsIn === undefined || !Object.hasOwn(args, recipientsIn)) return;
  const given = args[recipientsIn];
  const isList = Array.isArray(given);
  const channelArguments = Object.keys(refersTo).filter((name) => refersTo[name] === 'channel');
  const channels = channelArguments.flatMap((name) => textsIn(args[name]));
  textsIn(given).forEach((recipient, index) => {
    const path = [...place, recipientsIn, ...(isList ? [index] : [])];
    if (envReferencesIn(recipient).length > 0) {
      const message = `\${env:…} does not work in "${recipientsIn}": set the recipients of the channel to it`;
      report({ code: 'rule/env-misplaced', path, message });
      return;
    }
    const known = isTemplate(recipient) ? undefined : recipient;
    const message = channels
      .map((channel) => problemIn(channel, known, vocabulary))
      .find((found) => found !== undefined);
    if (message !== undefined) report({ code: 'rule/recipient-not-allowed', path, message });
  });
}

function problemIn(
  name: string,
  recipient: string | undefined,
  { channels, channelTypes }: Vocabulary,
): string | undefined {
  const channel = channels?.find((candidate) => candidate.name === name);
  const type =
    channel !== undefined && Object.hasOwn(channelTypes, channel.type)
      ? channelTypes[channel.type]
      : undefined;
  // An unknown channel and an unknown type are reported by themselves.
  if (channel === undefined || type === undefined) return undefined;
  const { problemWithRecipient } = type;
  if (problemWithRecipient === undefined)
    return `the channel "${name}" (${channel.type}) has no recipients: only e-mail channels take "to"; for other channels, use a step of their own`;
  const problem = problemWithRecipient(channel.settings, recipient);
  return problem === undefined ? undefined : `the channel "${name}" ${problem}`;
}

const textsIn = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((item: unknown) => typeof item === 'string');
