/** A period in which something is not done again. It is also over when the clock is set back to before it began. */
export class QuietPeriod {
  #from = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;

  /** Begins at `now`, instead of the one before. */
  begin(now: number, milliseconds: number): void {
    this.#from = now;
    this.#until = now + milliseconds;
  }

  lasts(now: number): boolean {
    return now >= this.#from && now < this.#until;
  }
}
