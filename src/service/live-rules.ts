import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../config/operator-error.js';
import { readRuleFiles } from '../config/read-rule-files.js';
import { compileRuleFiles, vocabularyWithChannels } from '../rules/rule-file.js';
import type { CompiledRules, RuleFile } from '../rules/rule-file.js';
import type { Rule } from '../rules/model/rule.js';
import type { ChannelSource } from '../rules/model/rule-schema.js';
import type { Vocabulary } from '../rules/model/vocabulary.js';
import { errorText } from '../telemetry/error-text.js';

/** The rules that events are matched against, and what keeps them up to date. */
export interface LiveRules {
  readonly current: () => readonly Rule[];
  readonly channels: () => readonly ChannelSource[];
  /** What rules can name, the channels of the files included. */
  readonly vocabulary: () => Vocabulary;
  /** What is wrong with the files as they are now; the rules of before are in force then. */
  readonly problems: () => readonly string[];
  /** Which groups, scripts and other things at SimpleMDM the rules in force name that are not there. */
  readonly referenceProblems: () => readonly string[];
  /** Reads the files now, changed or not. */
  readonly reload: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** How rules are kept up to date. */
export interface LiveRulesOptions {
  /** `RULES_PATH`. */
  readonly path: string;
  readonly vocabulary: Vocabulary;
  /** Told of rules before they are in force, also of the first ones. */
  readonly onRules: (found: Omit<CompiledRules, 'problems'>, first: boolean) => void;
  /** What the accounts have that rules can refer to; undefined when that cannot be had now. */
  readonly catalogs: () => Promise<Vocabulary['catalogs']>;
  /**
   * Told of what rules name that is not there when they came in force before that could be looked at: at the start, which must not fail
   * for it, and while SimpleMDM was away. Told of no problems when all of it is there in the end.
   */
  readonly onReferenceProblems: (problems: readonly string[]) => void;
  /** Told when the files changed and cannot be used. */
  readonly onProblems: (problems: readonly string[]) => void;
  /** How often the files are looked at. */
  readonly everyMs?: number;
  /** How often it is looked at whether what was not there at SimpleMDM is there now. */
  readonly recheckMs?: number;
}

const POLL_INTERVAL_MS = 1000;
const REFERENCE_RECHECK_MS = 5 * 60_000;
/** What the accounts have is asked for again after this long at most, until it is known. */
const MAX_CATALOG_RETRY_MS = 30_000;

/**
 * Loads the rules and watches their files. The files are read again and again rather than watched by the system: that also works on
 * network drives and where a folder is swapped by a link, as in Kubernetes.
 *
 * @throws OperatorError with every problem of every file, each with its place, when they cannot be used at the start.
 */
export async function openLiveRules(options: LiveRulesOptions): Promise<LiveRules> {
  const {
    path,
    vocabulary,
    onRules,
    onProblems,
    everyMs = POLL_INTERVAL_MS,
    recheckMs = REFERENCE_RECHECK_MS,
  } = options;
  let used: readonly RuleFile[] = await readRuleFiles(path);
  /** The files of the rules in force; those that were used last may be bad. */
  let inForce = used;
  let found = compile(used, vocabulary);
  let problems: readonly string[] = [];
  let referenceProblems: readonly string[] = [];
  onRules(found, true);

  const take = async (files: readonly RuleFile[]): Promise<void> => {
    used = files;
    let catalogs: Vocabulary['catalogs'];
    try {
      catalogs = await options.catalogs();
      const compiled = compile(files, { ...vocabulary, ...(catalogs && { catalogs }) });
      onRules(compiled, false);
      found = compiled;
      inForce = files;
      problems = [];
      referenceProblems = [];
      if (catalogs === undefined) later(check(files));
    } catch (error) {
      refuse(error);
      // What they name may be made in a moment; nobody would think of touching the files again then.
      if (catalogs !== undefined && compileRuleFiles(files, vocabulary).problems.length === 0)
        later(takeAgain(files));
    }
  };
  const takeAgain = async (files: readonly RuleFile[]): Promise<void> => {
    await pauseFor(recheckMs);
    if (!stopped()) await inTurn(async () => (used === files ? take(files) : undefined));
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
  /** Files are read and taken by one at a time: what was read last is in force last. */
  let last: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => (last = last.then(work).catch(unreadable));
  const reload = (): Promise<void> => inTurn(async () => take(await readRuleFiles(path)));

  const stopping = new AbortController();
  const stopped = (): boolean => stopping.signal.aborted;
  const pauseFor = (ms: number): Promise<void> =>
    delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
  const watching = (async () => {
    let seen = used;
    const look = async (): Promise<void> => {
      const files = await readRuleFiles(path);
      // Twice the same: somebody may be in the middle of writing.
      if (same(files, seen) && !same(files, used)) await take(files);
      seen = files;
    };
    while (!stopped()) {
      await pauseFor(everyMs);
      if (stopped()) return;
      await inTurn(look);
    }
  })();

  /** Files that are good by themselves came in force: whether what they name is there is looked at when SimpleMDM can be asked. */
  const check = async (files: readonly RuleFile[]): Promise<void> => {
    let pause = everyMs;
    while (!stopped()) {
      const referents = await options.catalogs();
      // Others are in force by now, and have a check of their own.
      if (inForce !== files || stopped()) return;
      if (referents === undefined) {
        pause = Math.min(pause * 2, MAX_CATALOG_RETRY_MS);
        await pauseFor(pause);
        continue;
      }
      const before = referenceProblems;
      referenceProblems = compileRuleFiles(files, { ...vocabulary, catalogs: referents }).problems;
      if (referenceProblems.join('\n') !== before.join('\n')) options.onReferenceProblems(referenceProblems);
      if (referenceProblems.length === 0) return;
      await pauseFor(recheckMs);
    }
  };
  const underWay = new Set<Promise<void>>();
  function later(work: Promise<void>): void {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  }
  later(check(inForce));

  return {
    current: () => found.rules,
    channels: () => found.channels,
    vocabulary: () => vocabularyWithChannels(vocabulary, found.channels),
    problems: () => problems,
    referenceProblems: () => referenceProblems,
    reload,
    stop: async () => {
      stopping.abort();
      await Promise.all([watching, ...underWay]);
    },
  };
}

function compile(files: readonly RuleFile[], vocabulary: Vocabulary): CompiledRules {
  const compiled = compileRuleFiles(files, vocabulary);
  if (compiled.problems.length > 0) throw new OperatorError(compiled.problems);
  return compiled;
}

function same(a: readonly RuleFile[], b: readonly RuleFile[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, text }, index) => b[index]?.name === name && b[index].text === text)
  );
}
