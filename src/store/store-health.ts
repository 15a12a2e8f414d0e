import { HttpError } from '../errors.ts';
import { errorCode } from './file-ops.ts';
import type { StorageState, StorageStatus } from './store.ts';
import { LockLostError, ReplacedError } from './store-disk.ts';

const RETRY_AFTER = { 'retry-after': '5' };

const STOPPED = {
  replaced:
    'The database file was replaced from outside and is kept as it is; restart the server to use it. Until then nothing can be changed.',
  taken:
    'Another process has taken over the database; stop one of the two and restart. Until then nothing can be changed.',
  closed: 'The server is stopping and takes no more changes.',
} as const;

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  EACCES: 'the folder may not be written',
  EPERM: 'the folder may not be written',
  EFBIG: 'the database would be larger than 48 MB',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EIO: 'the disk reports an error',
};

/** The state of the storage, in words for people. */
export class StoreHealth {
  readonly #base: StorageStatus;
  #failure: string | null = null;
  #stop: keyof typeof STOPPED | null = null;

  constructor(base: StorageStatus) {
    this.#base = base;
  }

  /** True once this process can write nothing more. */
  get isStopped(): boolean {
    return this.#stop !== null;
  }

  status(): StorageStatus {
    const state: StorageState = 'failing';
    const { encrypted } = this.#base;
    if (this.#stop !== null) return { state, message: STOPPED[this.#stop], encrypted };
    if (this.#failure === null) return this.#base;
    const message = `Changes cannot be saved: ${this.#failure}. What was saved before is safe, and requests go on.`;
    return { state, message, encrypted };
  }

  succeeded(): void {
    this.#failure = null;
  }

  close(): void {
    this.#stop ??= 'closed';
  }

  /** Notes why a write failed. */
  failed(error: unknown): void {
    if (error instanceof ReplacedError) this.#stop = 'replaced';
    else if (error instanceof LockLostError) this.#stop = 'taken';
    else this.#failure = REASONS[codeOf(error)] ?? `the disk reports ${codeOf(error) || 'an unknown error'}`;
  }

  /** The error for a change that was not saved. */
  unavailable(cause?: unknown): HttpError {
    const message =
      this.#stop === null
        ? `The change was not saved: ${this.#failure ?? 'the storage is read-only'}. Everything is as it was before; fix the problem and retry.`
        : STOPPED[this.#stop];
    return new HttpError('storage_unavailable', message, { headers: RETRY_AFTER, cause });
  }
}

/** The code of a system error, or of the one behind it. */
export function codeOf(error: unknown): string {
  return errorCode(error) || (error instanceof Error ? errorCode(error.cause) : '');
}
