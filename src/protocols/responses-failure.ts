import type { ErrorObject } from '../errors.ts';
import { recordData, recordEvent, sseRecord } from '../http/sse.ts';
import { isRecord, parseJson } from '../json/value.ts';

const SEQUENCE_NUMBER = /"sequence_number": ?(\d{1,9})/;

/**
 * Ends a Responses stream that was broken off: with an `error` event and a `response.failed` event. They continue the
 * stream's response and its numbering (OpenAI API reference, Responses streaming events).
 */
export class ResponsesFailure {
  #created: Buffer | null = null;
  #latest: Buffer | null = null;

  /** Notes a whole record that is passed on. */
  note(record: Buffer): void {
    this.#latest = record;
    if (this.#created === null && recordEvent(record) === 'response.created')
      this.#created = Buffer.from(record);
  }

  /** The records that report the error. */
  records(error: ErrorObject): Buffer {
    const { message, param } = error;
    const code = error.code ?? error.type ?? 'server_error';
    const next = this.#nextNumber();
    const failed = { ...this.#response(), status: 'failed', error: { code, message } };
    const events = [
      { type: 'error', code, message, param, sequence_number: next },
      { type: 'response.failed', response: failed, sequence_number: next + 1 },
    ];
    return Buffer.concat(events.map((event) => sseRecord(JSON.stringify(event), event.type)));
  }

  #nextNumber(): number {
    const found = SEQUENCE_NUMBER.exec(this.#latest?.toString('latin1') ?? '');
    return found === null ? 0 : Number(found[1]) + 1;
  }

  #response(): Record<string, unknown> {
    const event = parseJson((this.#created && recordData(this.#created)) ?? '');
    const response = isRecord(event) ? event['response'] : null;
    return isRecord(response) ? response : { object: 'response', output: [] };
  }
}
