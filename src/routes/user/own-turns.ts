import { HttpError } from '../../errors.ts';

/** What one user may have waiting. */
const WAITING_LIMIT = 16;

interface Queue {
  last: Promise<unknown>;
  waiting: number;
}

/** Lets the reports of one user be made one after the other, so that nobody takes the places of all others. */
export class OwnTurns {
  readonly #queues = new Map<string, Queue>();

  /** Runs some work once all earlier work of this user is done. @throws HttpError `server_overloaded`; what the work throws. */
  async run<T>(userId: string, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(userId) ?? { last: Promise.resolve(), waiting: 0 };
    if (queue.waiting >= WAITING_LIMIT) throw tooManyReports();
    this.#queues.set(userId, queue);
    queue.waiting += 1;
    const done = queue.last.then(work);
    queue.last = done.catch(() => {});
    try {
      return await done;
    } finally {
      queue.waiting -= 1;
      if (queue.waiting === 0) this.#queues.delete(userId);
    }
  }
}

function tooManyReports(): HttpError {
  const message = 'Too many of your reports are being made. Try again in a few seconds.';
  return new HttpError('server_overloaded', message, { headers: { 'retry-after': '3' } });
}
