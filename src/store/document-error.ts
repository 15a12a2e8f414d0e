/**
 * `damaged`: nobody could have meant this content, a backup may take its place. `refused`: somebody's content that this
 * version does not use; a person must decide.
 */
export type DocumentFault = 'damaged' | 'refused';

/** A database file, backup or part of one that cannot be used. The message is half a sentence: `it is cut off`. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
  readonly fault: DocumentFault;

  constructor(fault: DocumentFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** Why the server cannot start with this database: one line that says what is wrong and what to do. */
export class StoreStartError extends Error {
  override readonly name = 'StoreStartError';
}
