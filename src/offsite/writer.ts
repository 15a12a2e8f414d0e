import { DOCUMENT_LIMIT_BYTES } from '../store/document.ts';
import { SnapshotConflictError, SnapshotRefusedError } from './errors.ts';
import type { OpenedSnapshot, SnapshotHead, SnapshotSeal } from './seal.ts';
import { sha256Hex } from './sigv4.ts';
import type { FoundSnapshot, SnapshotTarget, WriteCondition } from './target.ts';

/** What the target holds, as far as this process knows. */
interface Held {
  readonly digest: string;
  readonly etag: string | null;
  readonly generation: number;
}

/** How often one write is tried again after the target said that something else stands there. */
const ROUNDS = 4;
/** From this round on the target's conditions are taken for broken: they fail although nothing changed. */
const UNCONDITIONAL_ROUND = 2;
/** How many writes with an unknown outcome are remembered. */
const UNSURE_LIMIT = 16;
/** No object has it: a target that lets it match takes no notice of conditions. */
const NO_ETAG = `"${'0'.repeat(32)}"`;

/**
 * Reads and writes one target, and never writes over what this process did not read or write itself. Calls must not
 * overlap.
 */
export class SnapshotWriter {
  readonly #target: SnapshotTarget;
  readonly #seal: SnapshotSeal;
  #held: Held | null = null;
  /** Writes that may have happened: digest -> generation. */
  readonly #unsure = new Map<string, number>();
  #sendsConditions = true;
  #isProtected: boolean | null = null;
  /** The last bytes written, until conditions were tried on them. */
  #untried: Buffer | null = null;

  constructor(target: SnapshotTarget, seal: SnapshotSeal) {
    this.#target = target;
    this.#seal = seal;
  }

  /** True where the target honours conditions, so that nobody else can write unnoticed; null: not known yet. */
  get isProtected(): boolean | null {
    return this.#isProtected;
  }

  /**
   * Reads what the target holds; null: surely nothing.
   * @throws SnapshotUnreachableError, SnapshotRefusedError, SnapshotUnreadableError.
   */
  async read(signal: AbortSignal): Promise<OpenedSnapshot | null> {
    this.#held = null;
    const found = await this.#target.get(signal);
    if (found === 'absent') return null;
    const opened = await this.#seal.open(found.bytes);
    this.#held = { digest: sha256Hex(found.bytes), etag: found.etag, generation: opened.generation };
    return opened;
  }

  /**
   * Replaces what the target holds, if that is what was read or written last.
   * @throws SnapshotConflictError where it is something else, or newer; SnapshotUnreachableError; SnapshotRefusedError.
   */
  async write(document: Buffer, head: SnapshotHead, signal: AbortSignal): Promise<void> {
    const sealed = await this.#seal.seal(document, head);
    if (sealed.length > DOCUMENT_LIMIT_BYTES) {
      throw new SnapshotRefusedError('The state is too large for a snapshot: remove what is not needed.');
    }
    const digest = sha256Hex(sealed);
    for (let round = 0; round < ROUNDS; round += 1) {
      if (round === UNCONDITIONAL_ROUND) this.#giveUpConditions();
      if (this.#mustLookFirst()) await this.#look(signal);
      if (this.#held !== null && head.generation < this.#held.generation)
        throw olderThanHeld(this.#target.host);
      this.#remember(digest, head.generation);
      const answer = await this.#target.put(sealed, this.#condition(), signal);
      if (answer.kind === 'written') {
        this.#held = { digest, etag: answer.etag, generation: head.generation };
        this.#unsure.clear();
        if (this.#isProtected === null) this.#untried = sealed;
        return;
      }
      this.#unsure.delete(digest);
      if (answer.kind === 'unsupported') this.#giveUpConditions();
      else await this.#look(signal);
    }
    throw new SnapshotRefusedError(`${this.#target.host} keeps refusing to replace the snapshot.`);
  }

  /**
   * Finds out whether the target honours conditions, once: writes the bytes that stand there again, under conditions
   * that do not hold. @throws SnapshotConflictError, SnapshotUnreachableError, SnapshotRefusedError.
   */
  async tryConditions(signal: AbortSignal): Promise<void> {
    const bytes = this.#untried;
    if (bytes === null || this.#isProtected !== null) return;
    // A target that takes no notice would take these bytes in place of another instance's.
    await this.#look(signal);
    if (this.#held === null || this.#isProtected !== null) return;
    for (const condition of [{ ifNoneMatch: '*' }, { ifMatch: NO_ETAG }] as const) {
      const answer = await this.#target.put(bytes, condition, signal);
      if (answer.kind === 'conflict') continue;
      this.#isProtected = false;
      if (answer.kind === 'unsupported') this.#sendsConditions = false;
      else this.#held = { ...this.#held, etag: answer.etag };
      break;
    }
    this.#isProtected ??= true;
    this.#untried = null;
  }

  #condition(): WriteCondition {
    if (!this.#sendsConditions) return null;
    if (this.#held === null) return { ifNoneMatch: '*' };
    return this.#held.etag === null ? null : { ifMatch: this.#held.etag };
  }

  /**
   * Unless the target is known to notice that something else stands there, this side looks just before it writes; and
   * before it makes a first snapshot in any case.
   */
  #mustLookFirst(): boolean {
    return this.#isProtected !== true || this.#held === null || this.#held.etag === null;
  }

  /** Learns what stands there. @throws SnapshotConflictError where it is not of this process. */
  async #look(signal: AbortSignal): Promise<void> {
    const found = await this.#target.get(signal);
    if (found === 'absent') {
      // Nobody's state is lost by writing it anew.
      this.#held = null;
      return;
    }
    const digest = sha256Hex(found.bytes);
    const isHeld = digest === this.#held?.digest;
    const generation = isHeld ? this.#held?.generation : this.#unsure.get(digest);
    if (generation === undefined) throw await this.#conflict(found);
    this.#held = { digest, etag: found.etag, generation };
    if (found.etag === null) this.#isProtected = false;
  }

  async #conflict({ bytes }: FoundSnapshot): Promise<SnapshotConflictError> {
    const opened = await this.#seal.open(bytes).catch(() => null);
    const what =
      opened === null ? 'something else' : `another instance's state (generation ${opened.generation})`;
    return new SnapshotConflictError(`${this.#target.host} holds ${what}`);
  }

  #giveUpConditions(): void {
    this.#sendsConditions = false;
    this.#isProtected = false;
    this.#untried = null;
  }

  #remember(digest: string, generation: number): void {
    this.#unsure.set(digest, generation);
    for (const oldest of this.#unsure.keys()) {
      if (this.#unsure.size <= UNSURE_LIMIT) break;
      this.#unsure.delete(oldest);
    }
  }
}

function olderThanHeld(host: string): SnapshotConflictError {
  return new SnapshotConflictError(`${host} holds a newer state than this one`);
}
