import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { OperatorError } from '../config/operator-error.js';
import { readRuleFiles } from '../config/read-rule-files.js';
import { compileRuleFiles, vocabularyWithChannels } from '../rules/compile-rule-files.js';
import type { CompiledRules, RuleFile } from '../rules/compile-rule-files.js';
import { problemOfFile } from '../rules/model/problem.js';
import type { LookupSource } from '../rules/model/lookup.js';
import type { RuleProblem } from '../rules/model/problem.js';
import type { Rule } from '../rules/model/rule.js';
import type { ChannelSource } from '../rules/model/rule-schema.js';
import type { Vocabulary } from '../rules/model/vocabulary.js';
import { errorText } from '../telemetry/error-text.js';
import type { EnvReload } from './env-reload.js';

/** The rules that events are evaluated by. They follow the rule files. */
export interface LiveRules {
  readonly current: () => readonly Rule[];
  readonly channels: () => readonly ChannelSource[];
  readonly lookups: () => readonly LookupSource[];
  /** Everything that rules can name, the channels and lookups of the files included. */
  readonly vocabulary: () => Vocabulary;
  /** The problems of the changed files. While there are any, the last valid rules stay live. */
  readonly problems: () => readonly RuleProblem[];
  /** The objects that the live rules name and SimpleMDM does not have. */
  readonly referenceProblems: () => readonly RuleProblem[];
  /** Reads the files now, whether they changed or not. */
  readonly reload: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Options of {@link openLiveRules}. */
export interface LiveRulesOptions {
  /** `RULES_PATH`. */
  readonly path: string;
  readonly vocabulary: Vocabulary;
  /** Reads `.env` again with the rule files: rules and channels refer to its variables. */
  readonly envReload?: EnvReload;
  /** Called before rules become live, also for those of the start. */
  readonly onRules: (compiled: Omit<CompiledRules, 'problems'>, isFirst: boolean) => void;
  /** Loads the reference catalogs of the accounts; undefined when SimpleMDM is not available. */
  readonly catalogs: () => Promise<Vocabulary['catalogs']>;
  /**
   * Called when the references of live rules could not be checked before, and are now: at the start, which must not wait for SimpleMDM, and
   * after an outage of SimpleMDM. Called with no problems when all objects exist in the end.
   */
  readonly onReferenceProblems: (problems: readonly RuleProblem[]) => void;
  /** Called when the files changed and have problems. */
  readonly onProblems: (problems: readonly RuleProblem[]) => void;
  /** How often to read the files, in milliseconds. */
  readonly pollIntervalMs?: number;
  /** How often to look for missing objects at SimpleMDM, in milliseconds. */
  readonly recheckIntervalMs?: number;
}

const POLL_INTERVAL_MS = 1000;
const REFERENCE_RECHECK_INTERVAL_MS = 5 * 60_000;
/** The maximum delay between two tries to load the reference catalogs. */
const MAX_CATALOG_RETRY_MS = 30_000;

/**
 * Loads the rules and follows their files. It polls instead of using file system events: polling also works on network drives, and where a
 * link replaces the folder, as in Kubernetes.
 *
 * @throws OperatorError with every problem of every file when the files are invalid at the start.
 */
export async function openLiveRules(options: LiveRulesOptions): Promise<LiveRules> {
  const {
    path,
    vocabulary,
    onRules,
    onProblems,
    envReload,
    pollIntervalMs = POLL_INTERVAL_MS,
    recheckIntervalMs = REFERENCE_RECHECK_INTERVAL_MS,
  } = options;
  const readInput = async (): Promise<LoadInput> => ({
    files: await readRuleFiles(path),
    env: envReload?.read(),
  });
  /** What was loaded last, valid or not. */
  let loaded = await readInput();
  envReload?.apply(loaded.env);
  let liveFiles = loaded.files;
  let live = compile(loaded.files, vocabulary);
  let problems: readonly RuleProblem[] = [];
  let referenceProblems: readonly RuleProblem[] = [];
  onRules(live, true);

  const load = async (input: LoadInput): Promise<void> => {
    const { files } = input;
    loaded = input;
    envReload?.apply(input.env);
    let catalogs: Vocabulary['catalogs'];
    try {
      catalogs = await options.catalogs();
      const compiled = compile(files, { ...vocabulary, ...(catalogs && { catalogs }) });
      onRules(compiled, false);
      live = compiled;
      liveFiles = files;
      problems = [];
      referenceProblems = [];
      if (catalogs === undefined) inBackground(checkReferences(files));
    } catch (error) {
      reject(error);
      // The missing objects may be created later, without a change of the files.
      if (catalogs !== undefined && compileRuleFiles(files, vocabulary).problems.length === 0)
        inBackground(retryLoad(input));
    }
  };
  const retryLoad = async (input: LoadInput): Promise<void> => {
    await pause(recheckIntervalMs);
    if (!stopped()) await inSequence(async () => (loaded === input ? load(input) : undefined));
  };
  const reject = (error: unknown): void => {
    const found = problemsOf(error);
    // Report an unchanged problem once.
    if (sameProblems(found, problems)) return;
    problems = found;
    onProblems(found);
  };
  const rejectUnreadable = (error: unknown): void => {
    // The next readable files are loaded, even if they did not change.
    loaded = { ...loaded, files: [] };
    reject(error);
  };
  /** Files are read and loaded one at a time, so that the files read last become live last. */
  let lastWork: Promise<void> = Promise.resolve();
  const inSequence = (work: () => Promise<void>): Promise<void> =>
    (lastWork = lastWork.then(work).catch(rejectUnreadable));
  const reload = (): Promise<void> => inSequence(async () => load(await readInput()));

  const stopping = new AbortController();
  const stopped = (): boolean => stopping.signal.aborted;
  const pause = (ms: number): Promise<void> =>
    delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
  const polling = (async () => {
    let previous = loaded;
    const poll = async (): Promise<void> => {
      const input = await readInput();
      // Load only what is unchanged since the previous poll: a file may be only half written.
      if (sameInput(input, previous) && !sameInput(input, loaded)) await load(input);
      previous = input;
    };
    while (!stopped()) {
      await pause(pollIntervalMs);
      if (stopped()) return;
      await inSequence(poll);
    }
  })();

  /** Checks the references of live files once SimpleMDM is available, and then until all objects exist. */
  const checkReferences = async (files: readonly RuleFile[]): Promise<void> => {
    let retryMs = pollIntervalMs;
    while (!stopped()) {
      const catalogs = await options.catalogs();
      // Newer files are live and have their own check.
      if (liveFiles !== files || stopped()) return;
      if (catalogs === undefined) {
        retryMs = Math.min(retryMs * 2, MAX_CATALOG_RETRY_MS);
        await pause(retryMs);
        continue;
      }
      const previous = referenceProblems;
      referenceProblems = compileRuleFiles(files, { ...vocabulary, catalogs }).problems;
      if (!sameProblems(referenceProblems, previous)) options.onReferenceProblems(referenceProblems);
      if (referenceProblems.length === 0) return;
      await pause(recheckIntervalMs);
    }
  };
  const background = new Set<Promise<void>>();
  function inBackground(work: Promise<void>): void {
    background.add(work);
    void work.finally(() => background.delete(work));
  }
  inBackground(checkReferences(liveFiles));

  return {
    current: () => live.rules,
    channels: () => live.channels,
    lookups: () => live.lookups,
    vocabulary: () => vocabularyWithChannels({ ...vocabulary, facts: live.facts }, live.channels),
    problems: () => problems,
    referenceProblems: () => referenceProblems,
    reload,
    stop: async () => {
      stopping.abort();
      await Promise.all([polling, ...background]);
    },
  };
}

function compile(files: readonly RuleFile[], vocabulary: Vocabulary): CompiledRules {
  const compiled = compileRuleFiles(files, vocabulary);
  if (compiled.problems.length > 0) throw new OperatorError(compiled.problems);
  return compiled;
}

function problemsOf(error: unknown): RuleProblem[] {
  return error instanceof OperatorError
    ? error.problems.map((problem) => ({ ...problem, ...problemOfFile(problem) }))
    : [problemOfFile({ code: 'service/invalid-rule-files', message: errorText(error) })];
}

function sameProblems(a: readonly RuleProblem[], b: readonly RuleProblem[]): boolean {
  return a.length === b.length && a.every(({ text }, index) => text === b[index]?.text);
}

/** What rules are loaded from. */
interface LoadInput {
  readonly files: readonly RuleFile[];
  /** The text of `.env`; undefined when there is none, or when it cannot be read now. */
  readonly env: string | undefined;
}

function sameInput(a: LoadInput, b: LoadInput): boolean {
  return sameFiles(a.files, b.files) && a.env === b.env;
}

function sameFiles(a: readonly RuleFile[], b: readonly RuleFile[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      ({ name, text, data }, index) =>
        b[index]?.name === name && b[index].text === text && isDeepStrictEqual(b[index].data, data),
    )
  );
}
