import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../src/config/operator-error.js';
import { readRuleFiles } from '../src/config/read-rule-files.js';
import { compileRuleFiles } from '../src/rules/rule-file.js';
import type { RuleFile } from '../src/rules/rule-file.js';
import type { Rule } from '../src/rules/rule.js';
import type { Vocabulary } from '../src/rules/vocabulary.js';
import { errorText } from '../src/telemetry/error-text.js';

/** The rules that events are matched against, and what keeps them up to date. */
export interface RulesInForce {
  readonly current: () => readonly Rule[];
  /** What is wrong with the files as they are now; the rules of before are in force then. */
  readonly problems: () => readonly string[];
  /** Reads the files now, changed or not. */
  readonly reload: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** How rules are kept up to date. */
export interface RulesOptions {
  /** `RULES_PATH`. */
  readonly path: string;
  readonly vocabulary: Vocabulary;
  /** Told of rules before they are in force, also of the first ones. */
  readonly onRules: (rules: readonly Rule[], first: boolean) => void;
  /** Told when the files changed and cannot be used. */
  readonly onProblems: (problems: readonly string[]) => void;
  /** How often the files are looked at. */
  readonly everyMs?: number;
}

const LOOK_EVERY_MS = 1000;

/**
 * Loads the rules and watches their files. The files are read again and again rather than watched by the system: that also works on
 * network drives and where a folder is swapped by a link, as in Kubernetes.
 *
 * @throws OperatorError with every problem of every file, each with its place, when they cannot be used at the start.
 */
export async function openRules(options: RulesOptions): Promise<RulesInForce> {
  const { path, vocabulary, onRules, onProblems, everyMs = LOOK_EVERY_MS } = options;
  let used = await readRuleFiles(path);
  let rules = compile(used, vocabulary);
  let problems: readonly string[] = [];
  onRules(rules, true);

  const take = (files: readonly RuleFile[]): void => {
    used = [...files];
    try {
      const compiled = compile(files, vocabulary);
      onRules(compiled, false);
      rules = compiled;
      problems = [];
    } catch (error) {
      refuse(error);
    }
  };
  const refuse = (error: unknown): void => {
    const lines = error instanceof OperatorError ? error.lines : [errorText(error)];
    // What stays wrong is told once.
    if (lines.join('\n') === problems.join('\n')) return;
    problems = lines;
    onProblems(lines);
  };
  const unreadable = (error: unknown): void => {
    // Whatever is there next is to be looked at, be it what was there before.
    used = [];
    refuse(error);
  };
  const reload = async (): Promise<void> => {
    try {
      take(await readRuleFiles(path));
    } catch (error) {
      unreadable(error);
    }
  };

  const stopping = new AbortController();
  const stopped = (): boolean => stopping.signal.aborted;
  const watching = (async () => {
    let seen = used;
    while (!stopped()) {
      await delay(everyMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
      if (stopped()) return;
      try {
        const files = await readRuleFiles(path);
        // Twice the same: somebody may be in the middle of writing.
        if (same(files, seen) && !same(files, used)) take(files);
        seen = files;
      } catch (error) {
        unreadable(error);
      }
    }
  })();

  return {
    current: () => rules,
    problems: () => problems,
    reload,
    stop: async () => {
      stopping.abort();
      await watching;
    },
  };
}

function compile(files: readonly RuleFile[], vocabulary: Vocabulary): readonly Rule[] {
  const { rules, problems } = compileRuleFiles(files, vocabulary);
  if (problems.length > 0) throw new OperatorError(problems);
  return rules;
}

function same(a: readonly RuleFile[], b: readonly RuleFile[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, text }, index) => b[index]?.name === name && b[index].text === text)
  );
}
