import { ByteGatherer } from '../byte-gatherer.ts';
import { HttpError } from '../errors.ts';
import type { BodyReader, BodySource } from '../http/body-source.ts';
import type { InflightLease } from '../inflight-budget.ts';
import { brokenBody } from './upstream-failures.ts';

export interface BoundedRead {
  /** The body has ended. If not, every byte was put back, ready to be streamed. */
  readonly isWhole: boolean;
  readonly bytes: Buffer;
  /** The read stopped below the bound because the lease could not grow. */
  readonly isOverBudget: boolean;
}

/**
 * Reads a body up to a bound. The bytes held count against `lease`, if given; the caller releases the lease.
 * @throws HttpError `upstream_invalid_response` if the body breaks off, or the HttpError by which it failed.
 */
export function readBounded(
  body: BodySource,
  limitBytes: number,
  lease: InflightLease | null = null,
): Promise<BoundedRead> {
  return new Promise((resolve, reject) => {
    body.read(new Reading(body, { limitBytes, lease, resolve, reject }));
  });
}

interface ReadingOptions {
  readonly limitBytes: number;
  readonly lease: InflightLease | null;
  readonly resolve: (read: BoundedRead) => void;
  readonly reject: (error: HttpError) => void;
}

class Reading implements BodyReader {
  readonly #body: BodySource;
  readonly #options: ReadingOptions;
  readonly #gathered = new ByteGatherer();

  constructor(body: BodySource, options: ReadingOptions) {
    this.#body = body;
    this.#options = options;
  }

  onData(chunk: Buffer): void {
    const { limitBytes, lease, resolve } = this.#options;
    const gathered = this.#gathered;
    gathered.add(chunk);
    const isOverBudget = gathered.length <= limitBytes && lease?.growTo(gathered.length) === false;
    if (gathered.length <= limitBytes && !isOverBudget) return;
    const bytes = gathered.whole();
    this.#body.unread(bytes);
    resolve({ isWhole: false, bytes, isOverBudget });
  }

  onEnd(): void {
    this.#options.resolve({ isWhole: true, bytes: this.#gathered.whole(), isOverBudget: false });
  }

  onError(error: Error): void {
    const isOurs = error instanceof HttpError;
    this.#options.reject(isOurs ? error : brokenBody('The provider broke off its response.', error));
  }
}
