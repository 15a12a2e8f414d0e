import { HttpError } from '../errors.ts';
import type { AnswerEnd } from '../http/pump.ts';

/** What is known of a request for its log line and the metrics; filled on its way. */
export interface RequestFacts {
  model?: string;
  provider?: string;
  /** The code of the error that was answered, or that ended the answer. */
  code?: string;
  /** What lay behind that error; never told to the client. */
  cause?: string;
  /** Set where an answer that was passed on as it came has ended. */
  outcome?: AnswerEnd['outcome'];
}

/** Takes note of an error: its code, and what lay behind it. */
export function noteError(facts: RequestFacts, error: Error): void {
  if (error instanceof HttpError) facts.code = error.error.code ?? error.error.type ?? '';
  const cause = causeOf(error);
  if (cause !== null) facts.cause = cause;
}

/** Takes note of what ended an answer. */
export function noteEnd(facts: RequestFacts, { outcome, error }: AnswerEnd): void {
  facts.outcome = outcome;
  if (error !== null) noteError(facts, error);
}

/** The code of the underlying error, such as ECONNREFUSED. A system error's message names the host, so it counts only without a code. */
function causeOf(error: Error): string | null {
  const cause = error instanceof HttpError ? error.cause : error;
  if (!(cause instanceof Error)) return null;
  const { code, message }: NodeJS.ErrnoException = cause;
  return code ?? message;
}
