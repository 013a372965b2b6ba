/** Where in a parsed file something stands: keys and positions from the root. */
export type Path = readonly (string | number)[];

/** Something wrong with a rule, before it is known where in the file that is. */
export interface Problem {
  readonly path: Path;
  /** Point at the key itself rather than at its value. */
  readonly atKey?: boolean;
  /** How many characters into the value, for expressions and templates. */
  readonly offset?: number;
  /** It stands there as a number, or as true or false, and is meant as a text. */
  readonly wantsText?: boolean;
  readonly message: string;
}

/** Takes a problem, or what is only probably one; checking goes on, so that a person sees all of them at once. */
export type Report = (problem: Problem) => void;

/** Something wrong in an expression or a text, and how many characters into it. */
export interface ExpressionProblem {
  readonly message: string;
  readonly offset: number;
}
