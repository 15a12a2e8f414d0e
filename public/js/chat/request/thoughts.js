/** Thoughts in the answer's text. Some servers leave them there, between `<think>` and `</think>`. */

const OPEN = '<think>';
const CLOSE = '</think>';

/**
 * Separates thoughts from the text of an answer that arrives in pieces. Thoughts are recognised at the start only:
 * later, `<think>` may be part of the text.
 * @param {{ onText: (text: string) => void, onThought: (text: string) => void }} listener
 * @returns {{ push(piece: string): void, finish(): void }}
 */
export function createThoughtSplitter({ onText, onThought }) {
  /** @type {'start' | 'thinking' | 'answer'} */
  let phase = 'start';
  let held = '';

  /** @param {string} text */
  function answer(text) {
    if (text !== '') onText(text);
  }

  function takeHeld() {
    if (phase === 'start') {
      const begun = held.trimStart();
      if (OPEN.startsWith(begun)) return;
      phase = begun.startsWith(OPEN) ? 'thinking' : 'answer';
      if (phase === 'thinking') held = begun.slice(OPEN.length);
    }
    if (phase === 'thinking') {
      const end = held.indexOf(CLOSE);
      const known = end < 0 ? Math.max(0, held.length - CLOSE.length + 1) : end;
      if (known > 0) onThought(held.slice(0, known));
      held = held.slice(known);
      if (end < 0) return;
      phase = 'answer';
      held = held.slice(CLOSE.length).trimStart();
    }
    answer(held);
    held = '';
  }

  return {
    push(piece) {
      if (phase === 'answer') {
        answer(piece);
        return;
      }
      held += piece;
      takeHeld();
    },
    finish() {
      if (phase === 'thinking' && held !== '') onThought(held);
      else answer(held);
      held = '';
    },
  };
}
