type TextKind = 'reasoning' | 'text';

const OPENING = '<think>';
const CLOSING = '</think>';

/**
 * Tells reasoning that a model writes into its text, `<think>...</think>` at the very beginning, from the text itself. A mark may
 * be split between chunks.
 */
export class ThinkSplitter {
  readonly #emit: (kind: TextKind, text: string) => void;
  #state: 'start' | 'opened' | 'thinking' | 'after' | 'text' = 'start';
  #held = '';

  constructor(emit: (kind: TextKind, text: string) => void) {
    this.#emit = emit;
  }

  push(text: string): void {
    switch (this.#state) {
      case 'text':
        this.#emit('text', text);
        return;
      case 'start':
        this.#start(this.#held + text);
        return;
      case 'opened':
        this.#open(this.#held + text);
        return;
      case 'thinking':
        this.#think(this.#held + text);
        return;
      case 'after':
        this.#after(text);
    }
  }

  /** The text ends: what was held is sent. */
  end(): void {
    if (this.#held === '') return;
    const held = this.#held;
    this.#held = '';
    this.#emit(this.#state === 'opened' || this.#state === 'thinking' ? 'reasoning' : 'text', held);
  }

  #start(text: string): void {
    const begun = text.trimStart();
    if (begun.startsWith(OPENING)) {
      this.#state = 'opened';
      this.#open(begun.slice(OPENING.length));
    } else if (text.length <= 64 && OPENING.startsWith(begun)) this.#held = text;
    else {
      this.#state = 'text';
      this.#held = '';
      this.#emit('text', text);
    }
  }

  /** The line end after the opening mark does not belong to the reasoning. */
  #open(text: string): void {
    this.#held = text;
    if (text === '' || text === '\r') return;
    this.#state = 'thinking';
    this.#held = '';
    this.#think(text.replace(/^\r?\n/, ''));
  }

  #think(text: string): void {
    const end = text.indexOf(CLOSING);
    if (end < 0) {
      const kept = partOfMark(text);
      this.#held = text.slice(text.length - kept);
      if (text.length > kept) this.#emit('reasoning', text.slice(0, text.length - kept));
      return;
    }
    if (end > 0) this.#emit('reasoning', text.slice(0, end));
    this.#held = '';
    this.#state = 'after';
    this.#after(text.slice(end + CLOSING.length));
  }

  /** The empty lines between the reasoning and the text belong to neither. */
  #after(text: string): void {
    const rest = text.trimStart();
    if (rest === '') return;
    this.#state = 'text';
    this.#emit('text', rest);
  }
}

/** How many characters at the end of a text may be the beginning of the closing mark. */
function partOfMark(text: string): number {
  for (let length = Math.min(CLOSING.length - 1, text.length); length > 0; length--) {
    if (CLOSING.startsWith(text.slice(text.length - length))) return length;
  }
  return 0;
}
