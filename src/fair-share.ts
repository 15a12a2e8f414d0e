/** Limits how many units of a shared resource each consumer may hold. */
export class FairShare {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes one unit. Returns false, and takes nothing, if the consumer is at the limit. */
  take(consumer: string): boolean {
    const count = this.#counts.get(consumer) ?? 0;
    if (count >= this.#limit) return false;
    this.#counts.set(consumer, count + 1);
    return true;
  }

  /** Gives one unit back; call it once per successful `take`. */
  give(consumer: string): void {
    const count = this.#counts.get(consumer) ?? 0;
    if (count > 1) this.#counts.set(consumer, count - 1);
    else this.#counts.delete(consumer);
  }
}
