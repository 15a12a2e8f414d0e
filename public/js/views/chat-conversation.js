/** The messages so far, and the one request that may be running. */

import { toFailure } from './chat-failure.js';
import { createAnswer, createUserMessage } from './chat-message.js';
import { completeChat, toChatBody } from './chat-request.js';
import { countCharacters, describeSpeed } from './chat-stats.js';
import { convertFile } from './chat-tasks.js';

/** @typedef {import('./chat-request.js').ChatMessage} ChatMessage */
/**
 * @typedef {{ text: string, images: readonly import('./chat-request.js').ChatImage[], audio: File | null,
 *   model: import('./chat-tasks.js').ChatModel, task: import('./chat-tasks.js').Task,
 *   settings: import('./chat-request.js').ChatSettings | null, transcript: Record<string, string> }} Turn
 */

/**
 * @param {{ log: ReturnType<typeof import('./chat-log.js').createLog>, send: import('./chat-request.js').Send,
 *   onBusy: (isBusy: boolean) => void }} options
 */
export function createConversation({ log, send, onBusy }) {
  /** @type {ChatMessage[]} */
  let messages = [];
  /** @type {AbortController | null} */
  let running = null;

  /** Forgets the messages from one on. @param {number} count how many stay */
  function keep(count) {
    running?.abort();
    messages = messages.slice(0, count);
    log.keep(count);
  }

  /** @param {Turn} turn */
  async function start(turn) {
    const at = messages.length;
    const fileName = turn.audio?.name ?? turn.images[0]?.name ?? null;
    const message = {
      role: /** @type {const} */ ('user'),
      text: turn.text,
      images: turn.images,
      task: turn.task,
      fileName,
    };
    messages.push(message);
    const onEdit = (/** @type {string} */ text) => {
      keep(at);
      void start({ ...turn, text });
    };
    log.add(createUserMessage(message, { onEdit }).element);
    await answer(turn);
  }

  /** @param {Turn} turn */
  async function answer(turn) {
    const at = messages.length;
    const control = new AbortController();
    running?.abort();
    running = control;
    onBusy(true);
    const onRegenerate = () => {
      keep(at);
      void answer(turn);
    };
    const shown = createAnswer({ model: turn.model.name, onRegenerate, onDraw: log.follow });
    log.add(shown.element);
    const measured = { startMs: performance.now(), firstMs: /** @type {number | null} */ (null) };
    let failure = null;
    let note = '';
    /** @type {import('./chat-request.js').Usage | null} */
    let usage = null;
    try {
      if (turn.task === 'chat') {
        const outcome = await chat(turn, { shown, measured, signal: control.signal });
        usage = outcome.usage;
        if (!outcome.isComplete) note = 'The answer broke off before its end.';
        else if (outcome.finishReason === 'length') note = 'The answer was cut at the limit of tokens.';
      } else {
        const { text, isCode } = await convert(turn, control.signal);
        shown.showPlain(text, isCode);
      }
    } catch (error) {
      if (control.signal.aborted) note = 'Stopped.';
      else failure = toFailure(error);
    }
    const isLatest = running === control;
    const characters = countCharacters(shown.text());
    const stats = describeSpeed({ ...measured, endMs: performance.now(), characters, usage });
    shown.finish({ failure, note, stats });
    if (!isLatest) return;
    messages.push({ role: 'assistant', text: shown.text(), images: [], task: turn.task, fileName: null });
    running = null;
    onBusy(false);
    log.announce(failure ? failure.message : shown.text() || note);
  }

  /**
   * @param {Turn} turn
   * @param {{ shown: ReturnType<typeof createAnswer>, measured: { firstMs: number | null }, signal: AbortSignal }} to
   */
  function chat({ model, settings }, { shown, measured, signal }) {
    const chosen = settings ?? { system: '', temperature: null, maxTokens: null, isStreaming: true };
    const body = toChatBody({ model: model.id, hasVision: model.hasVision, messages, settings: chosen });
    const first = () => {
      measured.firstMs ??= performance.now();
    };
    const listener = {
      onText: (/** @type {string} */ text) => {
        first();
        shown.addText(text);
      },
      onThought: (/** @type {string} */ text) => {
        first();
        shown.addThought(text);
      },
      onToolCalls: shown.showToolCalls,
    };
    return completeChat({ send, body, signal, listener });
  }

  /**
   * @param {Turn} turn
   * @param {AbortSignal} signal
   */
  function convert({ task, text, images, audio, model, transcript }, signal) {
    const file = task === 'ocr' ? images[0]?.file : audio;
    if (!file) throw new Error('Choose a file first.');
    const more = task === 'transcribe' ? transcript : {};
    const path = task === 'ocr' ? '/v1/ocr' : '/v1/audio/transcriptions';
    return convertFile({
      send,
      path,
      fields: { model: model.id, prompt: text.trim(), ...more },
      file,
      signal,
    });
  }

  return {
    send: start,
    isBusy: () => running !== null,
    stop: () => running?.abort(),
    clear() {
      keep(0);
      running = null;
      onBusy(false);
    },
  };
}
