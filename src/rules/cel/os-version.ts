/**
 * A version of one of Apple's operating systems: numbers, and the letter of a rapid security response (`16.4.1 (a)`), which
 * comes after the version that it mends and before the next.
 */
export class OsVersion {
  readonly #numbers: readonly number[];
  readonly #response: string;

  private constructor(numbers: readonly number[], response: string) {
    this.#numbers = numbers;
    this.#response = response;
  }

  /** Reads `15.1`, `14.7.1`, `16.4.1 (a)`; undefined when the text is no version. */
  static parse(text: string): OsVersion | undefined {
    const [, numbers, response = ''] = /^\s*(\d+(?:\.\d+){0,3})\s*(?:\(([a-z])\))?\s*$/.exec(text) ?? [];
    return numbers === undefined ? undefined : new OsVersion(numbers.split('.').map(Number), response);
  }

  /** Less than 0 when this one is older, 0 when they are the same, more when it is newer. `15` is `15.0.0`. */
  compare(other: OsVersion): number {
    for (let place = 0; place < 4; place += 1) {
      const difference = (this.#numbers[place] ?? 0) - (other.#numbers[place] ?? 0);
      if (difference !== 0) return difference;
    }
    return this.#response < other.#response ? -1 : this.#response > other.#response ? 1 : 0;
  }
}
