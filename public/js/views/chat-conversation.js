/** The turns of a conversation: asks, shows the answer as it comes, asks again. In memory only. */
import { toFailure } from './chat-failure.js';
import { createAnswer, createUserMessage } from './chat-message.js';
import { completeChat, toChatBody } from './chat-request.js';
import { countCharacters, describeSpeed } from './chat-stats.js';
import { convertFile } from './chat-tasks.js';

/**
 * @typedef {import('./chat-request.js').ChatMessage} ChatMessage
 * @typedef {import('./chat-request.js').ChatSettings} ChatSettings
 * @typedef {{ model: import('./chat-tasks.js').ChatModel, task: import('./chat-tasks.js').Task, settings: ChatSettings, transcript: Record<string, string> }} Ask
 *   what and how to ask, as chosen at the time
 * @typedef {{ user: ChatMessage, file: File | null, ask: Ask, answer: string }} Turn
 * @typedef {ReturnType<typeof createAnswer>} Answer
 * @typedef {{ note: string, stats: string }} Ending
 */

const NOTES = new Map([
  ['length', 'Cut off at the largest number of tokens.'],
  ['content_filter', 'Cut off by the provider’s content filter.'],
]);

/**
 * @param {{ log: ReturnType<typeof import('./chat-log.js').createLog>, send: import('./chat-request.js').Send,
 *   readAsk: () => Ask | null, onBusy: (isBusy: boolean) => void }} options readAsk: null where something is missing
 */
export function createConversation({ log, send, readAsk, onBusy }) {
  /** @type {Turn[]} */
  let turns = [];
  /** @type {AbortController | null} */
  let running = null;

  function stop() {
    running?.abort();
  }

  /** @param {Turn} turn */
  function start(turn) {
    turns.push(turn);
    log.add(createUserMessage(turn.user, { onEdit: (text) => edit(turn, text) }).element);
    void run(turn);
  }

  /** @param {Turn} turn */
  async function run(turn) {
    stop();
    const controller = new AbortController();
    running = controller;
    const answer = createAnswer({
      model: turn.ask.model.name,
      onRegenerate: () => regenerate(turn),
      onDraw: log.follow,
    });
    log.add(answer.element);
    log.announce('');
    onBusy(true);
    /** @type {import('./chat-failure.js').ServerFailure | null} */
    let failure = null;
    /** @type {Ending} */
    let ending = { note: '', stats: '' };
    try {
      ending = await (turn.ask.task === 'chat'
        ? chat(turn, answer, controller.signal)
        : convert(turn, answer, controller.signal));
    } catch (error) {
      if (controller.signal.aborted) ending.note = 'Stopped.';
      else failure = toFailure(error, 'Regenerate');
    }
    turn.answer = answer.text();
    answer.finish({ failure, ...ending });
    if (running !== controller) return;
    running = null;
    onBusy(false);
    log.announce(failure ? `Error: ${failure.message}` : `${ending.note} Answer: ${turn.answer}`.trim());
  }

  /**
   * The question with the earlier ones that were answered: a failed one is not sent, nor paid for, with every later one.
   * @param {Turn} turn
   */
  function messagesUpTo(turn) {
    const earlier = turns
      .slice(0, turns.indexOf(turn))
      .flatMap(({ user, answer }) => (answer === '' ? [] : [user, toAnswerMessage(answer)]));
    return [...earlier, turn.user];
  }

  /**
   * @param {Turn} turn
   * @param {Answer} answer
   * @param {AbortSignal} signal
   * @returns {Promise<Ending>}
   */
  async function chat(turn, answer, signal) {
    const { model, settings } = turn.ask;
    const body = toChatBody({
      model: model.id,
      hasVision: model.hasVision,
      messages: messagesUpTo(turn),
      settings,
    });
    const startMs = performance.now();
    /** @type {number | null} */
    let firstMs = null;
    const characters = { ascii: 0, other: 0 };
    /** @param {string} text */
    const count = (text) => {
      firstMs ??= performance.now();
      const counted = countCharacters(text);
      characters.ascii += counted.ascii;
      characters.other += counted.other;
    };
    const listener = {
      onText: (/** @type {string} */ text) => {
        count(text);
        answer.addText(text);
      },
      onThought: (/** @type {string} */ text) => {
        count(text);
        answer.addThought(text);
      },
      onToolCalls: (/** @type {import('./chat-request.js').ToolCall[]} */ calls) => {
        firstMs ??= performance.now();
        answer.showToolCalls(calls);
      },
    };
    const outcome = await completeChat({ send, body, signal, listener });
    const stats = describeSpeed({
      startMs,
      firstMs,
      endMs: performance.now(),
      characters,
      usage: outcome.usage,
    });
    if (!outcome.isComplete)
      return { note: 'The answer broke off: the server closed the stream early.', stats };
    const isEmpty = firstMs === null;
    return { note: NOTES.get(outcome.finishReason ?? '') ?? (isEmpty ? 'The answer is empty.' : ''), stats };
  }

  /**
   * @param {Turn} turn
   * @param {Answer} answer
   * @param {AbortSignal} signal
   * @returns {Promise<Ending>}
   */
  async function convert(turn, answer, signal) {
    const { file } = turn;
    if (!file) return { note: '', stats: '' };
    const { model, task, transcript } = turn.ask;
    const path = task === 'ocr' ? '/v1/ocr' : '/v1/audio/transcriptions';
    const fields = { model: model.id, prompt: turn.user.text.trim(), ...(task === 'ocr' ? {} : transcript) };
    const startMs = performance.now();
    const { text, isCode } = await convertFile({ send, path, fields, file, signal });
    answer.showPlain(text, isCode);
    const none = { ascii: 0, other: 0 };
    const stats = describeSpeed({
      startMs,
      firstMs: null,
      endMs: performance.now(),
      characters: none,
      usage: null,
    });
    return { note: text === '' ? 'No text was found.' : '', stats };
  }

  /**
   * @param {Turn} turn
   * @param {string} text
   */
  function edit(turn, text) {
    const ask = readAsk();
    const index = turns.indexOf(turn);
    if (!ask || index < 0) return;
    cut(index, 0);
    start({
      ...turn,
      ask: ask.task === turn.ask.task ? ask : turn.ask,
      user: { ...turn.user, text },
      answer: '',
    });
  }

  /** @param {Turn} turn */
  function regenerate(turn) {
    const ask = readAsk();
    const index = turns.indexOf(turn);
    if (!ask || index < 0) return;
    cut(index + 1, -1);
    if (ask.task === turn.ask.task) turn.ask = ask;
    turn.answer = '';
    void run(turn);
  }

  /**
   * Keeps that many turns, and of the last one the question alone where `extra` is -1.
   * @param {number} count
   * @param {0 | -1} extra
   */
  function cut(count, extra) {
    stop();
    // Forgotten at once: else its end would be told of a text that is gone.
    if (running) {
      running = null;
      onBusy(false);
    }
    turns = turns.slice(0, count);
    log.keep(count * 2 + extra);
  }

  return {
    stop,
    isBusy: () => running !== null,
    isEmpty: () => turns.length === 0,
    /** @param {import('./chat-composer.js').Draft} draft @param {Ask} ask */
    send({ text, images, audio }, ask) {
      const file = ask.task === 'transcribe' ? audio : (images[0]?.file ?? null);
      /** @type {ChatMessage} */
      const user = { role: 'user', text, images, task: ask.task, fileName: file?.name ?? null };
      start({ user, file, ask, answer: '' });
    },
    clear() {
      cut(0, 0);
      log.announce('');
    },
  };
}

/**
 * @param {string} text
 * @returns {ChatMessage}
 */
function toAnswerMessage(text) {
  return { role: 'assistant', text, images: [], task: 'chat', fileName: null };
}
