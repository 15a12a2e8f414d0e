import { cutText } from '../shown-text.ts';
import type { AttemptEntry, CallEntry } from './call-entry.ts';

/** The longest text of an entry, in UTF-16 units: the longest name that a configuration may hold. */
const TEXT_LIMIT = 512;
const ATTEMPTS_LIMIT = 16;

/** An entry whose texts are cut to their limits: a client chooses the model's name, a provider the code of an error. */
export function boundEntry(entry: CallEntry): CallEntry {
  if (isBounded(entry)) return entry;
  return {
    ...entry,
    endpoint: cut(entry.endpoint),
    keyName: cutOrNull(entry.keyName),
    userName: cutOrNull(entry.userName),
    modelId: cutOrNull(entry.modelId),
    upstreamModel: cutOrNull(entry.upstreamModel),
    code: cutOrNull(entry.code),
    clientAddress: cut(entry.clientAddress),
    attempts: entry.attempts.slice(-ATTEMPTS_LIMIT).map(boundAttempt),
  };
}

function isBounded(entry: CallEntry): boolean {
  return (
    isShort(entry.endpoint) &&
    isShort(entry.keyName) &&
    isShort(entry.userName) &&
    isShort(entry.modelId) &&
    isShort(entry.upstreamModel) &&
    isShort(entry.code) &&
    isShort(entry.clientAddress) &&
    entry.attempts.length <= ATTEMPTS_LIMIT &&
    entry.attempts.every(isBoundedAttempt)
  );
}

function isBoundedAttempt({ upstreamModel, code, keyHint }: AttemptEntry): boolean {
  return isShort(upstreamModel) && isShort(code) && isShort(keyHint);
}

function boundAttempt(attempt: AttemptEntry): AttemptEntry {
  return {
    ...attempt,
    upstreamModel: cut(attempt.upstreamModel),
    code: cutOrNull(attempt.code),
    keyHint: cutOrNull(attempt.keyHint),
  };
}

function isShort(text: string | null): boolean {
  return text === null || text.length <= TEXT_LIMIT;
}

/** Through a buffer: V8 keeps the whole text alive for a part that `slice` made. */
function cut(text: string): string {
  return text.length <= TEXT_LIMIT ? text : Buffer.from(cutText(text, TEXT_LIMIT)).toString();
}

function cutOrNull(text: string | null): string | null {
  return text === null ? null : cut(text);
}
