import { isDeepStrictEqual } from 'node:util';
import { isRecord, parseJson } from '../json/value.ts';
import {
  createPassphraseSealer,
  isPassphraseParameters,
  newPassphraseParameters,
  type PassphraseParameters,
  type Sealer,
  type SecretPlace,
} from '../store/secrets.ts';
import { SnapshotError } from './errors.ts';

/** What a snapshot says about its document, readable without the key. */
export interface SnapshotHead {
  /** Of the document: counts the writes of the store. */
  readonly generation: number;
  /** Random number of the store that wrote the snapshot; tells several instances apart. */
  readonly writer: number;
}

export interface OpenedSnapshot extends SnapshotHead {
  /** The bytes of a database file. */
  readonly document: Buffer;
}

const FORMAT = 'ipin-proxy-snapshot';
const VERSION = 1;
const HEAD_LIMIT_BYTES = 1024;

interface DerivedKey {
  readonly parameters: PassphraseParameters;
  readonly sealer: Sealer;
}

/**
 * Encrypts whole documents with a passphrase: AES-256-GCM (NIST SP 800-38D), the key made by scrypt (RFC 7914) with a
 * salt that is stored. The result is ASCII text: one line of JSON, which is authenticated too, then the sealed document.
 */
export class SnapshotSeal {
  readonly #passphrase: string;
  readonly #randomBytes: (count: number) => Buffer;
  /** Making a key takes a quarter of a second, so the last key that worked is kept. */
  #current: DerivedKey | null = null;

  constructor(passphrase: string, randomBytes: (count: number) => Buffer) {
    this.#passphrase = passphrase;
    this.#randomBytes = randomBytes;
  }

  /** Seals a document; two results are never the same. */
  async seal(document: Buffer, { generation, writer }: SnapshotHead): Promise<Buffer> {
    this.#current ??= await this.#derive(newPassphraseParameters(this.#randomBytes));
    const { parameters, sealer } = this.#current;
    const head = JSON.stringify({ format: FORMAT, version: VERSION, generation, writer, scrypt: parameters });
    return Buffer.from(`${head}\n${sealer.seal(document.toString('utf8'), placeOf(head))}\n`, 'latin1');
  }

  /** Opens a snapshot. @throws SnapshotError `unreadable`. */
  async open(bytes: Buffer): Promise<OpenedSnapshot> {
    const end = bytes.subarray(0, HEAD_LIMIT_BYTES).indexOf('\n');
    const line = bytes.subarray(0, Math.max(end, 0)).toString('latin1');
    const { generation, writer, scrypt } = parseHead(line);
    const key = await this.#derive(scrypt);
    const sealed = bytes.toString('latin1', end + 1).trimEnd();
    const opened = key.sealer.open(sealed, placeOf(line));
    if (opened === null) {
      throw unreadable('cannot be opened with SNAPSHOT_KEY; set the key that it was made with');
    }
    this.#current = key;
    return { generation, writer, document: Buffer.from(opened.text) };
  }

  async #derive(parameters: PassphraseParameters): Promise<DerivedKey> {
    const current = this.#current;
    if (current !== null && isDeepStrictEqual(current.parameters, parameters)) return current;
    try {
      const sealer = await createPassphraseSealer(this.#passphrase, parameters, this.#randomBytes);
      return { parameters, sealer };
    } catch (error) {
      throw unreadable('has a head that cannot be right', error);
    }
  }
}

function unreadable(problem: string, cause?: unknown): SnapshotError {
  return new SnapshotError('unreadable', `The object at SNAPSHOT_URL ${problem}`, { cause });
}

/** Binds the sealed document to the head, byte for byte: an old snapshot cannot pass for a new one. */
function placeOf(head: string): SecretPlace {
  return { record: 'snapshot', id: head, field: 'document' };
}

/** @throws SnapshotError `unreadable`. */
function parseHead(line: string): SnapshotHead & { readonly scrypt: PassphraseParameters } {
  const head = parseJson(line);
  const { format, version, generation, writer, scrypt } = isRecord(head) ? head : {};
  const areCounts = isCount(version) && isCount(generation) && isCount(writer);
  if (format !== FORMAT || !areCounts || !isPassphraseParameters(scrypt)) {
    throw unreadable('is not a snapshot of this program');
  }
  if (version !== VERSION) throw unreadable('was written by a newer version of the program; update this one');
  return { generation, writer, scrypt };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
