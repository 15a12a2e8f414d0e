import { recordData } from '../http/sse.ts';
import { firstMatch, type JsonScan } from '../json/matches.ts';
import { isRecord, parseJson } from '../json/value.ts';
import { estimateTokens, type MeterKind, NO_USAGE, type Usage } from '../usage/usage.ts';
import { answerTextBytes, streamedTextBytes } from './answer-text.ts';
import { showsUsage } from './hidden-usage.ts';
import { mergeUsage, numberOf, readUsage, reportedUsage } from './usage-dialects.ts';
import { UsageFinder } from './usage-finder.ts';

/** What a scan must find for `AnswerMeter.lookAtScanned`. */
export const USAGE_PATTERNS = ['usage'] as const;

const USAGE = Buffer.from('"usage"');
const LF = 0x0a;

/** The states in which an object of OpenAI's API is worked on (API reference: responses, runs, batches, videos). */
const UNFINISHED: readonly unknown[] = ['queued', 'in_progress', 'validating'];

/** What the call may use, as estimated from its request; 0: not known. */
interface Estimate {
  readonly promptTokens: number;
  /** The longest answer that was asked for. */
  readonly answerTokens: number;
  readonly audioSeconds: number;
  readonly images: number;
}

/** Counts what one answer used, from the bytes that the provider sent: reported numbers, and the text for an estimate. */
export class AnswerMeter {
  readonly #kind: MeterKind;
  #usage: Usage | null = null;
  #textBytes = 0;
  /** The record that passes in pieces begins with text of the model. */
  #isInText = false;
  /** Of an answer that passes without being held. */
  #passedBytes = 0;
  #seconds: number | null = null;
  #images: number | null = null;
  /** For a body or a record that is not held whole. */
  #finder: UsageFinder | null = null;
  #unfinishedId: string | null = null;

  constructor(kind: MeterKind) {
    this.#kind = kind;
  }

  /** The id of what the provider still works on; null: its answer is all that it does. */
  get unfinishedId(): string | null {
    return this.#unfinishedId;
  }

  /** Looks at whole records of an event stream whose usage, if they have any, is null. */
  lookAtText(records: Buffer): void {
    if (this.#kind === 'tokens') this.#textBytes += streamedTextBytes(records);
  }

  /** Looks at whole records of an event stream. True if they show usage. */
  lookAtRecords(records: Buffer): boolean {
    this.lookAtText(records);
    if (!showsUsage(records)) return false;
    let at = records.indexOf(USAGE);
    while (at >= 0) {
      const end = records.indexOf(LF, at);
      const line = records.subarray(records.lastIndexOf(LF, at) + 1, end < 0 ? records.length : end);
      this.#take(parseJson(recordData(line) ?? line));
      at = end < 0 ? -1 : records.indexOf(USAGE, end);
    }
    return true;
  }

  /** Looks at the parsed data of a record of a chat stream. */
  lookAtChunk(chunk: Readonly<Record<string, unknown>>): void {
    this.#take(chunk);
    if (this.#kind === 'tokens') this.#textBytes += answerTextBytes(chunk);
  }

  /** Looks at a piece of a record that is too long to be held. */
  lookAtPiece(piece: Buffer, { begins, ends }: { readonly begins: boolean; readonly ends: boolean }): void {
    if (begins) this.#finder = new UsageFinder();
    if (this.#kind === 'tokens') {
      const textBytes = begins ? streamedTextBytes(piece) : 0;
      if (begins) this.#isInText = textBytes > 0;
      this.#textBytes += !begins && this.#isInText ? piece.length : textBytes;
    }
    this.#finder?.push(piece);
    if (ends) this.end();
  }

  /** Looks at a whole JSON answer by its scan with `USAGE_PATTERNS` among the patterns, and parses no more of it than needed. */
  lookAtScanned(bytes: Buffer, scan: JsonScan): void {
    const usage = firstMatch(scan, 'usage');
    if (usage !== undefined && this.#kind !== 'images') {
      const read = readUsage(parseJson(bytes.subarray(usage.start, usage.end)));
      if (read !== null) this.#usage = mergeUsage(this.#usage, read);
      if (read?.promptTokens != null && (read.completionTokens !== null || this.#kind !== 'tokens')) return;
    }
    this.lookAtAnswer(bytes);
  }

  /** Looks at a whole JSON answer, which was checked. */
  lookAtAnswer(bytes: Buffer): void {
    const answer = parseJson(bytes);
    this.#take(answer);
    if (!isRecord(answer)) return;
    const { data, duration, id, status } = answer;
    if (typeof id === 'string' && UNFINISHED.includes(status)) this.#unfinishedId = id;
    if (this.#kind === 'images' && Array.isArray(data)) this.#images = data.length;
    if (this.#kind === 'audio') this.#seconds = numberOf(duration);
    if (this.#kind === 'tokens' && this.#usage?.completionTokens == null)
      this.#textBytes += answerTextBytes(answer);
  }

  /** Looks at a piece of an answer that passes without being held. */
  lookAtBytes(bytes: Buffer): void {
    this.#finder ??= new UsageFinder();
    this.#finder.push(bytes);
    this.#passedBytes += bytes.length;
  }

  /** A passing answer, or the long record, has ended. */
  end(): void {
    const finder = this.#finder;
    if (finder === null) return;
    this.#finder = null;
    const whole = finder.wholeAnswer();
    if (whole !== null) {
      this.lookAtAnswer(whole);
      return;
    }
    const usage = finder.find();
    if (usage !== null) this.#usage = mergeUsage(this.#usage, usage);
    if (this.#kind === 'images') this.#images = finder.images;
  }

  /** What was used. What the provider did not report is taken from the estimate, and from the text of the answer. */
  total(estimate: Estimate): Usage {
    // An answer that broke off had no end.
    this.end();
    const usage = this.#usage ?? NO_USAGE;
    switch (this.#kind) {
      case 'tokens':
        return withEstimates(usage, estimate.promptTokens, this.#answerTokens(estimate));
      case 'input':
      case 'speech':
        return withEstimates(usage, estimate.promptTokens, 0);
      case 'audio': {
        const known = usage.audioSeconds ?? this.#seconds;
        const audioSeconds = known ?? (estimate.audioSeconds || null);
        const isEstimated = usage.promptTokens === null && known === null && audioSeconds !== null;
        return { ...usage, audioSeconds, isEstimated };
      }
      case 'reported':
        return usage;
      case 'images':
        return { ...usage, images: this.#images ?? (estimate.images || null) };
    }
  }

  /** An estimate. Of an answer that was not held, how much is text is not known: it has no more than was asked for. */
  #answerTokens({ answerTokens }: Estimate): number {
    if (this.#textBytes > 0) return estimateTokens(this.#textBytes);
    return Math.min(estimateTokens(this.#passedBytes), answerTokens);
  }

  #take(answer: unknown): void {
    const usage = reportedUsage(answer);
    if (usage !== null) this.#usage = mergeUsage(this.#usage, usage);
  }
}

function withEstimates(usage: Usage, promptTokens: number, completionTokens: number): Usage {
  const isEstimated =
    usage.promptTokens === null || (usage.completionTokens === null && completionTokens > 0);
  return {
    ...usage,
    promptTokens: usage.promptTokens ?? promptTokens,
    completionTokens: usage.completionTokens ?? completionTokens,
    isEstimated,
  };
}
