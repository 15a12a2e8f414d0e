import type { HttpError } from '../errors.ts';
import type { BodyTransform } from '../http/body-transform.ts';
import type { AnswerMeter } from '../protocols/answer-meter.ts';

/** Lets a meter look at a body that passes in pieces. */
export class MeteredBody implements BodyTransform {
  readonly #transform: BodyTransform | null;
  readonly #meter: AnswerMeter;

  /** @param transform changes the body; null: it passes unchanged. */
  constructor(transform: BodyTransform | null, meter: AnswerMeter) {
    this.#transform = transform;
    this.#meter = meter;
  }

  get error(): HttpError | null {
    return this.#transform?.error ?? null;
  }

  get isWhole(): boolean {
    return this.#transform?.isWhole ?? false;
  }

  push(chunk: Buffer): Buffer | string | null {
    this.#meter.lookAtBytes(chunk);
    return this.#transform === null ? chunk : this.#transform.push(chunk);
  }

  end(): Buffer | string | null {
    this.#meter.end();
    return this.#transform?.end() ?? null;
  }

  fail(error: HttpError): Buffer | string | null {
    this.#meter.end();
    return this.#transform?.fail(error) ?? null;
  }

  idle(): Buffer | string | null {
    return this.#transform?.idle() ?? null;
  }
}
