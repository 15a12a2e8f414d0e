import { sha256Hex } from '../sha256.ts';
import { DOCUMENT_LIMIT_BYTES } from '../store/document.ts';
import { type DocumentVersion, readDocumentVersion } from './document-version.ts';
import { SnapshotError } from './errors.ts';
import type { OpenedSnapshot, SnapshotHead, SnapshotSeal } from './seal.ts';
import type { SnapshotTarget, WriteCondition } from './target.ts';

/** The object that the target holds, as far as this process knows. */
interface HeldObject {
  readonly digest: string;
  readonly etag: string | null;
  readonly generation: number;
}

/** Is never true, because no object has this entity tag. */
const FALSE_CONDITION: WriteCondition = { ifMatch: `"${'0'.repeat(32)}"` };
/**
 * How many writes without a response are remembered. One is not enough: the target may have stored the first write, while
 * the retries after it never reached the target.
 */
const UNCERTAIN_LIMIT = 16;

/**
 * Reads and writes one target, and overwrites only what this process itself read or wrote there.
 *
 * Every write names the entity tag that it replaces. Whether the target honours that cannot be asked, so the first write
 * goes out under a false condition first: a target that writes it ignores conditions, and from then on the object is
 * read before each write, which leaves another instance only the moment in between. Calls must not overlap.
 */
export class SnapshotWriter {
  readonly #target: SnapshotTarget;
  readonly #seal: SnapshotSeal;
  #held: HeldObject | null = null;
  /**
   * Digests of writes without a response, such as after a timeout. The target may hold one of them, also much later;
   * without this memory our own write would look like another instance's.
   */
  readonly #uncertain = new Set<string>();
  #isProtected: boolean | null = null;

  constructor(target: SnapshotTarget, seal: SnapshotSeal) {
    this.#target = target;
    this.#seal = seal;
  }

  /** True if the target honours conditions, so that nobody can overwrite unnoticed; null before the first write. */
  get isProtected(): boolean | null {
    return this.#isProtected;
  }

  /**
   * Reads the snapshot and the installation that it belongs to; null: certainly there is none.
   * @throws SnapshotError of any kind but `conflict`.
   */
  async read(signal: AbortSignal): Promise<(OpenedSnapshot & Pick<DocumentVersion, 'instanceId'>) | null> {
    this.#held = null;
    const found = await this.#target.get(signal);
    if (found === 'absent') return null;
    const opened = await this.#seal.open(found.bytes);
    const version = readDocumentVersion(opened.document);
    if (version === null) {
      throw new SnapshotError('unreadable', 'The snapshot at SNAPSHOT_URL holds no database of this program');
    }
    this.#held = { digest: sha256Hex(found.bytes), etag: found.etag, generation: opened.generation };
    return { ...opened, instanceId: version.instanceId };
  }

  /**
   * Replaces what this process last read or wrote.
   * @throws SnapshotError `conflict` if the target holds something else, or a newer state; `unreachable`, after which
   * the write may have happened; `refused`.
   */
  async write(document: Buffer, head: SnapshotHead, signal: AbortSignal): Promise<void> {
    const { generation } = head;
    if (this.#held !== null && generation < this.#held.generation) {
      throw new SnapshotError('conflict', `${this.#target.host} holds a newer state than this one`);
    }
    const bytes = await this.#seal.seal(document, head);
    if (bytes.length > DOCUMENT_LIMIT_BYTES) {
      throw new SnapshotError('refused', 'The state is too large for a snapshot: remove what is not needed.');
    }
    const digest = sha256Hex(bytes);
    this.#remember(digest);
    const put = async (condition: WriteCondition): Promise<boolean> => {
      const result = await this.#target.put(bytes, condition, signal);
      if (result === 'refused') return false;
      this.#held = { digest, etag: result.etag, generation };
      this.#uncertain.clear();
      return true;
    };
    if (this.#isProtected === false || !(await this.#replaceHeld(put, signal))) {
      this.#isProtected = false;
      await this.#look(signal);
      await put(null);
    } else if (this.#held?.etag === null) {
      // Some targets tell the entity tag to readers only.
      await this.#look(signal);
    }
  }

  /**
   * Writes under a condition; false if the target honours none, or refuses even a true one.
   * @param put resolves to false if the target refused the condition
   */
  async #replaceHeld(
    put: (condition: WriteCondition) => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (this.#isProtected !== true || this.#held === null) await this.#look(signal);
    if (this.#isProtected === null && (await put(FALSE_CONDITION))) {
      this.#isProtected = false;
      return true;
    }
    for (const isLast of [false, true]) {
      if (await put(this.#condition())) {
        this.#isProtected ??= true;
        return true;
      }
      // A lost write of this process may stand there, or nothing any more.
      if (!isLast) await this.#look(signal);
    }
    return false;
  }

  #condition(): WriteCondition {
    if (this.#held === null) return { ifNoneMatch: '*' };
    return this.#held.etag === null ? null : { ifMatch: this.#held.etag };
  }

  /** Finds out what the target holds now. @throws SnapshotError `conflict` if this process did not write it. */
  async #look(signal: AbortSignal): Promise<void> {
    const found = await this.#target.get(signal);
    if (found === 'absent') {
      // Somebody removed the snapshot. Writing it again overwrites nobody's state.
      this.#held = null;
      return;
    }
    const digest = sha256Hex(found.bytes);
    if (digest !== this.#held?.digest && !this.#uncertain.has(digest))
      throw await this.#conflict(found.bytes);
    this.#held = { digest, etag: found.etag, generation: this.#held?.generation ?? 0 };
    if (found.etag === null) this.#isProtected = false;
  }

  async #conflict(bytes: Buffer): Promise<SnapshotError> {
    const opened = await this.#seal.open(bytes).catch(() => null);
    const state =
      opened === null ? 'something else' : `another instance's state (generation ${opened.generation})`;
    return new SnapshotError('conflict', `${this.#target.host} holds ${state}`);
  }

  #remember(digest: string): void {
    const [oldest] = this.#uncertain;
    if (oldest !== undefined && this.#uncertain.size >= UNCERTAIN_LIMIT) this.#uncertain.delete(oldest);
    this.#uncertain.add(digest);
  }
}
