/** One entry of the error registry. docs/errors.md is generated from these entries. */
export interface ErrorDefinition {
  /** What happened, in one sentence. */
  readonly meaning: string;
  /** The usual cause. */
  readonly cause: string;
  /** What to do next. */
  readonly fix: string;
}

/** The errors of one area, by code: `area/what-happened`. A code never changes once released. */
export type ErrorDefinitions = Readonly<Record<`${string}/${string}`, ErrorDefinition>>;
