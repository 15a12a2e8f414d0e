/** The turns of a conversation: sends requests, shows the answers as they arrive. In memory only. */
import { toFailure } from './chat-failure.js';
import { createAnswer, createUserMessage } from './chat-message.js';
import { completeChat, toChatBody } from './chat-request.js';
import { countCharacters, describeSpeed } from './chat-stats.js';
import { convertFile } from './chat-tasks.js';

/**
 * @typedef {import('./chat-request.js').ChatMessage} ChatMessage
 * @typedef {import('./chat-request.js').ChatSettings} ChatSettings
 * @typedef {{ model: import('./chat-tasks.js').ChatModel, task: import('./chat-tasks.js').Task, settings: ChatSettings, transcript: Record<string, string> }} Choices
 *   the model, the task and the settings at the time of the request
 * @typedef {{ user: ChatMessage, file: File | null, choices: Choices, answer: string }} Turn
 * @typedef {ReturnType<typeof createAnswer>} Answer
 * @typedef {{ note: string, stats: string }} Ending
 */

/** Notes below an answer, by `finish_reason`. */
const NOTES = new Map([
  ['length', 'The answer was cut off: it reached the maximum number of tokens.'],
  ['content_filter', 'The content filter of the provider cut off the answer.'],
]);

/**
 * @param {{ log: ReturnType<typeof import('./chat-log.js').createLog>, send: import('./chat-request.js').Send,
 *   readChoices: () => Choices | null, onBusy: (isBusy: boolean) => void }} options readChoices: null if a choice is missing
 */
export function createConversation({ log, send, readChoices, onBusy }) {
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
      model: turn.choices.model.name,
      onRegenerate: () => regenerate(turn),
      onRender: log.follow,
    });
    log.add(answer.element);
    log.announce('');
    onBusy(true);
    /** @type {import('./chat-failure.js').ServerFailure | null} */
    let failure = null;
    /** @type {Ending} */
    let ending = { note: '', stats: '' };
    try {
      ending = await (turn.choices.task === 'chat'
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
   * The messages to send: the question, after the earlier turns that were answered. Failed turns are left out, because
   * they would cost tokens in each later request.
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
    const { model, settings } = turn.choices;
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
      return { note: 'The answer is incomplete: the server closed the stream early.', stats };
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
    const { model, task, transcript } = turn.choices;
    const path = task === 'ocr' ? '/v1/ocr' : '/v1/audio/transcriptions';
    const fields = { model: model.id, prompt: turn.user.text.trim(), ...(task === 'ocr' ? {} : transcript) };
    const startMs = performance.now();
    const { text, isCode } = await convertFile({ send, path, fields, file, signal });
    answer.showWhole(text, isCode);
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
    const choices = readChoices();
    const index = turns.indexOf(turn);
    if (!choices || index < 0) return;
    keepTurns(index, index * 2);
    start({
      ...turn,
      choices: choices.task === turn.choices.task ? choices : turn.choices,
      user: { ...turn.user, text },
      answer: '',
    });
  }

  /** @param {Turn} turn */
  function regenerate(turn) {
    const choices = readChoices();
    const index = turns.indexOf(turn);
    if (!choices || index < 0) return;
    keepTurns(index + 1, index * 2 + 1);
    if (choices.task === turn.choices.task) turn.choices = choices;
    turn.answer = '';
    void run(turn);
  }

  /**
   * Keeps the first turns and the first messages, and removes the others. A turn has two messages: question and answer.
   * @param {number} turnCount
   * @param {number} messageCount
   */
  function keepTurns(turnCount, messageCount) {
    stop();
    // Reset at once, or the end of the request would be announced to screen readers after its text was removed.
    if (running) {
      running = null;
      onBusy(false);
    }
    turns = turns.slice(0, turnCount);
    log.keep(messageCount);
  }

  return {
    stop,
    isBusy: () => running !== null,
    isEmpty: () => turns.length === 0,
    /** @param {import('./chat-composer.js').Draft} draft @param {Choices} choices */
    send({ text, images, audio }, choices) {
      const file = choices.task === 'transcribe' ? audio : (images[0]?.file ?? null);
      /** @type {ChatMessage} */
      const user = { role: 'user', text, images, task: choices.task, fileName: file?.name ?? null };
      start({ user, file, choices, answer: '' });
    },
    clear() {
      keepTurns(0, 0);
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
