import { HttpError } from '../errors.ts';

const PAGES_LIMIT = 32;
const REPORTS_LIMIT = 16;

/** Readings that follow one another, so that many at once neither fill the memory nor stop what they read from. */
export class ReadingQueue {
  readonly #limit: number;
  readonly #refuse: () => HttpError;
  #count = 0;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param limit how many may run or wait at the same time
   * @param refuse makes the error for one more
   */
  constructor(limit: number, refuse: () => HttpError) {
    this.#limit = limit;
    this.#refuse = refuse;
  }

  /** Reads when those before have ended. @throws HttpError `server_overloaded` if too many wait; what the reading throws. */
  async run<T>(read: () => Promise<T>): Promise<T> {
    if (this.#count >= this.#limit) throw this.#refuse();
    this.#count += 1;
    const result = this.#last.then(read);
    this.#last = result.catch(() => {});
    try {
      return await result;
    } finally {
      this.#count -= 1;
    }
  }
}

/** A queue for pages of the request log that are not in memory. */
export function pageReadings(): ReadingQueue {
  const message = 'Too many pages of the request log are being read. Try again in a moment.';
  return new ReadingQueue(PAGES_LIMIT, () => overloaded(message, '2'));
}

/** A queue for usage reports. */
export function reportReadings(): ReadingQueue {
  const message = 'Too many usage reports are being made. Try again in a few seconds.';
  return new ReadingQueue(REPORTS_LIMIT, () => overloaded(message, '3'));
}

function overloaded(message: string, retryAfter: string): HttpError {
  return new HttpError('server_overloaded', message, { headers: { 'retry-after': retryAfter } });
}
