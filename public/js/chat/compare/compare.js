/** The same question to two or three models at the same time, side by side. Each answers its own branch of the chat. */
import { pageSlots } from '../../charts/slots.js';
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';
import { createChips } from './chips.js';
import { createContender } from './contender.js';

/**
 * @typedef {import('../types.js').Model} Model
 * @typedef {import('../types.js').Message} Message
 * @typedef {import('../request/ask.js').Choices} Choices
 * @typedef {{ model: Model, leafId: string | null }} Column leafId: the end of the model's branch
 */

/**
 * @param {{
 *   conversation: import('../conversation/conversation.js').Conversation, host: HTMLElement,
 *   log: ReturnType<typeof import('../conversation/log.js').createLog>, first: Model, models: readonly Model[],
 *   onChange: () => void, onContinue: (model: Model, leafId: string) => void,
 * }} options host: for the chosen models, in the composer; onChange: other models; onContinue: this answer was chosen
 */
export function createCompare({ conversation, host, log, first, models, onChange, onContinue }) {
  const chats = models.filter(({ kind }) => kind === 'chat');
  const base = conversation.place().thread.leafId();
  const second = chats.find(({ id }) => id !== first.id) ?? first;
  /** @type {Column[]} */
  const columns = [
    { model: first, leafId: base },
    { model: second, leafId: base },
  ];
  /** @type {HTMLElement[]} */
  const rounds = [];
  const intro = h(
    'div',
    { class: 'welcome' },
    icon('columns'),
    h('h3', null, 'Compare models'),
    h('p', null, 'All of them get the same question. Go on with the answer that you like best.'),
  );
  const chips = createChips({
    host,
    models: chats,
    columns,
    add(model) {
      columns.push({ model, leafId: base });
      onColumns();
    },
    onColumns,
  });

  function onColumns() {
    chips.render(slots());
    onChange();
  }

  const slots = () => pageSlots.assign(columns.map(({ model }) => model.id));

  function render() {
    const earlier = conversation.place().thread.pathTo(base);
    const shown = [...earlier.map((message) => conversation.viewOf(message).element), ...rounds];
    log.show(shown.length === 0 ? [intro] : shown, { isEndShown: true });
  }

  /**
   * @param {import('../conversation/chat-writer.js').Draft} draft
   * @param {Choices} choices of the first model
   */
  async function ask(draft, choices) {
    await conversation.prepare();
    const place = conversation.place();
    const { writer } = conversation;
    /** Columns that stand at the same message share the question. @type {Map<string | null, Message>} */
    const questions = new Map();
    /** @type {HTMLElement[]} */
    const cards = [];
    for (const column of columns) {
      const { leafId } = column;
      const [asked] = questions.values();
      const again = asked ? { text: draft.text, kept: asked.attachments } : draft;
      const question = questions.get(leafId) ?? (await writer.addQuestion(place, again, leafId, choices));
      questions.set(leafId, question);
      cards.push(answer(column, question, { ...choices, model: column.model }));
    }
    const [question] = questions.values();
    if (question) rounds.push(conversation.questionView(question, false).element);
    rounds.push(sideBySide(cards));
    place.thread.show(columns[0]?.leafId ?? null);
    render();
    onChange();
  }

  /**
   * @param {Column} column
   * @param {Message} question
   * @param {Choices} choices
   * @returns {HTMLElement}
   */
  function answer(column, question, choices) {
    const place = conversation.place();
    const message = conversation.writer.addAnswer(place, question, choices);
    column.leafId = message.id;
    const run = conversation.runs.start(message, place.thread.pathTo(question.id), choices);
    void conversation.writer.save(message, { isLeaf: column === columns[0] });
    const card = createContender(message, {
      model: column.model,
      ended: run.ended,
      view: conversation.answerView(message, {
        slot: slots().get(column.model.id) ?? 1,
        onAgain: () => card.replaceWith(answer(column, question, choices)),
      }),
      onContinue: () => onContinue(column.model, message.id),
    });
    return card;
  }

  onColumns();
  render();
  return {
    ask,
    models: () => columns.map(({ model }) => model),
    close: chips.close,
  };
}

/**
 * Three answers may be wider than their place: then they scroll sideways.
 * @param {readonly HTMLElement[]} cards
 */
function sideBySide(cards) {
  if (cards.length < 3) return h('div', { class: 'compare' }, cards);
  return h(
    'div',
    { class: 'compare of-3', tabindex: 0, role: 'group', 'aria-label': 'Three answers' },
    cards,
  );
}
