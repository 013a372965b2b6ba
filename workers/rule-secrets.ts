import { envReferencesIn } from '../src/config/env-reference.js';
import type { ChannelSource } from '../src/rules/rule-schema.js';
import type { Rule } from '../src/rules/rule.js';

/** The values of the environment that rules and channels refer to as `${env:NAME}`: they are to be masked wherever they would come out. */
export function secretsOf(
  { rules, channels }: { readonly rules: readonly Rule[]; readonly channels: readonly ChannelSource[] },
  env: NodeJS.ProcessEnv,
): (string | undefined)[] {
  const texts = [...rules.map(({ source }) => source), ...channels].map((source) => JSON.stringify(source));
  return texts.flatMap(envReferencesIn).flatMap((name) => [env[name], passwordIn(env[name])]);
}

/** The password in an address such as `smtp://user:password@host`: it may come out without the address. */
function passwordIn(value: string | undefined): string | undefined {
  const password = value !== undefined && URL.canParse(value) ? new URL(value).password : '';
  try {
    return password === '' ? undefined : decodeURIComponent(password);
  } catch {
    return password;
  }
}
