const REFERENCE = /\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** The names of the environment variables that a string refers to as `${env:NAME}`. */
export function envReferencesIn(text: string): string[] {
  return [...text.matchAll(REFERENCE)].map((match) => match[1] ?? '');
}

/**
 * Replaces each `${env:NAME}` in a string with the value of the variable.
 *
 * Resolve references as late as possible, so that files, queues and traces hold the name and never the value.
 *
 * @throws Error naming the variable when it is not set.
 */
export function resolveEnvReferences(text: string, env: NodeJS.ProcessEnv): string {
  return text.replace(REFERENCE, (_reference, name: string) => {
    // Own properties only: "constructor" is not set.
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value === undefined) throw new Error(`the environment variable ${name} is not set`);
    return value;
  });
}
