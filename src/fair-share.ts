/** Limits how many of a shared thing each holder has. */
export class FairShare {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False, and nothing taken, if the holder is at the limit. */
  take(holder: string): boolean {
    const count = this.#counts.get(holder) ?? 0;
    if (count >= this.#limit) return false;
    this.#counts.set(holder, count + 1);
    return true;
  }

  /** Gives one back; to be called once for each that was taken. */
  give(holder: string): void {
    const count = this.#counts.get(holder) ?? 0;
    if (count > 1) this.#counts.set(holder, count - 1);
    else this.#counts.delete(holder);
  }
}
