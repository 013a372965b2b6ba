/**
 * A version of an Apple operating system: numbers, and the letter of a rapid security response (`16.4.1 (a)`), which sorts after
 * the version that it fixes and before the next.
 */
export class OsVersion {
  readonly #numbers: readonly number[];
  readonly #response: string;

  private constructor(numbers: readonly number[], response: string) {
    this.#numbers = numbers;
    this.#response = response;
  }

  /** Parses `15.1`, `14.7.1`, `16.4.1 (a)`; undefined when the text is not a version. */
  static parse(text: string): OsVersion | undefined {
    const [, numbers, response = ''] = /^\s*(\d+(?:\.\d+){0,3})\s*(?:\(([a-z])\))?\s*$/.exec(text) ?? [];
    return numbers === undefined ? undefined : new OsVersion(numbers.split('.').map(Number), response);
  }

  /** Negative when this version is older, 0 when both are equal, positive when it is newer. `15` equals `15.0.0`. */
  compare(other: OsVersion): number {
    for (let place = 0; place < 4; place += 1) {
      const difference = (this.#numbers[place] ?? 0) - (other.#numbers[place] ?? 0);
      if (difference !== 0) return difference;
    }
    return this.#response < other.#response ? -1 : this.#response > other.#response ? 1 : 0;
  }
}
