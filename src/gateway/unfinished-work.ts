import { BoundedMap } from '../bounded-map.ts';
import type { Usage } from '../usage/usage.ts';
import type { ClosedRecord } from './record.ts';

/** The most jobs that are remembered. */
const REMEMBERED = 10_000;

/** What a job is priced by. */
type Job = Pick<ClosedRecord, 'modelId' | 'modelPrice' | 'target'>;

/**
 * Books once what a provider works on after its first answer (responses in the background, runs, batches): the first answer used
 * nothing yet, and every later look at the job reports all that it used. Looks at anything else use nothing. Jobs that began
 * before a restart are not known any more, so what they use is not booked.
 */
export class UnfinishedWork {
  readonly #jobs = new BoundedMap<Job>(REMEMBERED);

  /** The record with no more than what is to be booked of it. */
  settle(closed: ClosedRecord): ClosedRecord {
    const { method, path, usage, unfinishedId } = closed;
    if (usage === null) return closed;
    if (unfinishedId !== null && method === 'POST') {
      const { modelId, modelPrice, target } = closed;
      this.#jobs.set(unfinishedId, { modelId, modelPrice, target });
      return { ...closed, usage: null };
    }
    const id = this.#jobs.size === 0 ? undefined : path.split('/').find((step) => this.#jobs.has(step));
    const job = id === undefined ? undefined : this.#jobs.get(id);
    if (id !== undefined && job !== undefined && isReported(usage)) {
      this.#jobs.delete(id);
      return { ...closed, ...job };
    }
    return method === 'GET' ? { ...closed, usage: null } : closed;
  }
}

function isReported({ promptTokens, completionTokens, costNanoUsd }: Usage): boolean {
  return promptTokens !== null || completionTokens !== null || costNanoUsd !== null;
}
