import { isRecord } from '../json/value.ts';
import {
  createPassphraseSealer,
  isPassphraseParameters,
  newPassphraseParameters,
  type PassphraseParameters,
  type Sealer,
  type SecretPlace,
} from '../store/secrets.ts';
import { SnapshotUnreadableError } from './errors.ts';

/** What is known of a snapshot besides its document. */
export interface SnapshotHead {
  /** Of the document: counts the writes of the store. */
  readonly generation: number;
  /** Random, of the store that wrote it: tells which of several instances did. */
  readonly writer: number;
}

export interface OpenedSnapshot extends SnapshotHead {
  /** A database file, as bytes. */
  readonly document: Buffer;
}

const FORMAT = 'ipin-proxy-snapshot';
const VERSION = 1;
const HEAD_LIMIT_BYTES = 1024;

interface StoredHead extends SnapshotHead {
  readonly format: string;
  readonly version: number;
  readonly scrypt: PassphraseParameters;
}

/**
 * Seals whole documents under a passphrase: AES-256-GCM (NIST SP 800-38D), the key by scrypt (RFC 7914) with a salt
 * that is stored. The result is ASCII text: one line of JSON, all of it authenticated, then the sealed document.
 */
export class SnapshotSeal {
  readonly #passphrase: string;
  readonly #randomBytes: (count: number) => Buffer;
  /** Deriving a key takes a quarter of a second, so the last one is kept and used on. */
  #derived: { readonly parameters: PassphraseParameters; readonly sealer: Promise<Sealer> } | null = null;

  constructor(passphrase: string, randomBytes: (count: number) => Buffer) {
    this.#passphrase = passphrase;
    this.#randomBytes = randomBytes;
  }

  /** Seals a document; two results are never the same. */
  async seal(document: Buffer, { generation, writer }: SnapshotHead): Promise<Buffer> {
    const scrypt = this.#derived?.parameters ?? newPassphraseParameters(this.#randomBytes);
    const sealer = await this.#sealerFor(scrypt);
    const head = JSON.stringify({ format: FORMAT, version: VERSION, generation, writer, scrypt });
    return Buffer.from(`${head}\n${sealer.seal(document.toString('utf8'), placeOf(head))}\n`, 'latin1');
  }

  /** Opens a snapshot. @throws SnapshotUnreadableError, its message half a sentence about what was found. */
  async open(bytes: Buffer): Promise<OpenedSnapshot> {
    const end = bytes.subarray(0, HEAD_LIMIT_BYTES).indexOf('\n');
    const line = bytes.subarray(0, Math.max(end, 0)).toString('latin1');
    const head = parseHead(line);
    if (head === null) throw new SnapshotUnreadableError('is not a snapshot of this program');
    if (head.version !== VERSION) {
      throw new SnapshotUnreadableError('was written by a newer version of the program; update this one');
    }
    const before = this.#derived;
    const opened = await this.#tryOpen(head, bytes.toString('latin1', end + 1).trimEnd(), placeOf(line));
    if (opened === null) {
      this.#derived = before;
      throw new SnapshotUnreadableError(
        'cannot be opened with SNAPSHOT_KEY; set the key that it was made with',
      );
    }
    return { generation: head.generation, writer: head.writer, document: Buffer.from(opened) };
  }

  async #tryOpen({ scrypt }: StoredHead, sealed: string, place: SecretPlace): Promise<string | null> {
    try {
      return (await this.#sealerFor(scrypt)).open(sealed, place)?.text ?? null;
    } catch (error) {
      throw new SnapshotUnreadableError('has a head that cannot be right', { cause: error });
    }
  }

  #sealerFor(parameters: PassphraseParameters): Promise<Sealer> {
    const known = this.#derived;
    if (known !== null && isSame(known.parameters, parameters)) return known.sealer;
    const sealer = createPassphraseSealer(this.#passphrase, parameters, this.#randomBytes);
    this.#derived = { parameters, sealer };
    sealer.catch(() => {
      this.#derived = known;
    });
    return sealer;
  }
}

/** The head as it was written is bound to the sealed document. */
function placeOf(head: string): SecretPlace {
  return { record: 'snapshot', id: head, field: 'document' };
}

function parseHead(line: string): StoredHead | null {
  let head: unknown;
  try {
    head = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isRecord(head) || head['format'] !== FORMAT) return null;
  const { format, version, generation, writer, scrypt } = head;
  if (!isCount(version) || !isCount(generation) || !isCount(writer)) return null;
  if (!isPassphraseParameters(scrypt)) return null;
  return { format: String(format), version, generation, writer, scrypt };
}

function isSame(one: PassphraseParameters, other: PassphraseParameters): boolean {
  const isSameWork = one.cost === other.cost && one.blockSize === other.blockSize;
  return isSameWork && one.parallelization === other.parallelization && one.salt === other.salt;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
