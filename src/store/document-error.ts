/**
 * `damaged`: nobody could have meant this content; a backup may replace it. `altered`: the checksum does not match, so the
 * file was torn or edited by hand. `refused`: meaningful content that this version cannot use.
 */
export type DocumentFault = 'damaged' | 'altered' | 'refused';

/** A database file, backup or part of one that cannot be used. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
  readonly fault: DocumentFault;
  /** What to do about it: a sentence without its full stop. */
  readonly fix: string;

  /** @param message half a sentence about the file: `it is cut off` */
  constructor(fault: DocumentFault, message: string, options: ErrorOptions & { readonly fix?: string } = {}) {
    super(message, options);
    this.fault = fault;
    this.fix = options.fix ?? 'Fix it by hand, or replace it with a good copy';
  }
}

/** Why the server cannot start with this database: one line that says what is wrong and what to do. */
export class StoreStartError extends Error {
  override readonly name = 'StoreStartError';
}
