import { confirmDialog } from '../lib/dialog.js';
import { h } from '../lib/h.js';
import { answerStep } from './first-run-answer.js';
import { factsOf } from './first-run-facts.js';
import { keyStep } from './first-run-key.js';
import { modelsStep } from './first-run-models.js';
import { passwordStep } from './first-run-password.js';
import { providerStep } from './first-run-provider.js';
import { createStepFrame } from './first-run-step.js';
import { restoreCard } from './restore.js';

/**
 * @import { Facts, Records } from './first-run-facts.js'
 * @typedef {{
 *   id: string, title: string, todo: string, isDone: (facts: Facts) => boolean, doneText: (facts: Facts) => string,
 *   change?: { label: string, run: (facts: Facts) => void }, content: () => HTMLElement, update?: (facts: Facts) => void,
 *   isKept?: (kind: string, facts: Facts) => boolean,
 * }} Step content: made anew each time the step opens; update: called after it, and whenever the facts change; isKept: the
 *   content is shown although it is not this step's turn
 * @typedef {{
 *   username: string, navigate: import('../pages/admin.js').Navigate, signal: AbortSignal, records: () => Records,
 *   finish: () => Promise<void>, skip: (id: string) => void, leave: () => void,
 *   memory: { secret: string | null, isCopied: boolean, offered: Offered | null, spoken: string | null },
 * }} FirstRun finish: a step has changed something on the server; memory: what is known until the page is closed
 * @typedef {{ providerId: string, ms: number | null, models: readonly OfferedModel[] }} Offered what a provider answered
 * @typedef {{
 *   id: string, imported: boolean, price?: import('../lib/types.js').Price | null,
 *   effectivePrice?: import('../lib/types.js').EffectivePrice,
 * }} OfferedModel
 */

const NOT_COPIED = {
  title: 'Leave without the key?',
  message: 'The key is not copied yet, and it cannot be shown again. You can make another one in API Keys.',
  confirmLabel: 'Leave anyway',
  cancelLabel: 'Back to the key',
};

/**
 * The setup of a new server in five steps, which end with the first answer. What is done is read from the server, so that
 * one can leave and come back.
 * @param {{
 *   username: string, navigate: import('../pages/admin.js').Navigate, signal: AbortSignal, reload: () => Promise<void>,
 *   onLeave: () => void, below: HTMLElement,
 * }} options onLeave: the Overview is wanted; below: shown under the steps
 */
export function createFirstRun({ username, navigate, signal, reload, onLeave, below }) {
  /** @type {Records | null} */
  let records = null;
  /** Skipped on this page. @type {Set<string>} */
  const skipped = new Set();
  /** Opened again although it was passed. @type {string | null} */
  let opened = null;
  /** The place of the open step; -1: all are passed. */
  let shown = -1;
  /** @type {FirstRun} */
  const run = {
    username,
    navigate,
    signal,
    records: () =>
      records ?? { status: /** @type {any} */ ({}), providers: [], models: [], keys: [], requests: [] },
    async finish() {
      opened = null;
      const before = shown;
      await reload();
      // The pressed button may be gone, also because the answer came by the live stream meanwhile.
      if (shown !== before || document.activeElement === document.body) focusShown();
    },
    skip(id) {
      opened = null;
      skipped.add(id);
      render();
      focusShown();
    },
    async leave() {
      const { secret, isCopied } = run.memory;
      if (secret === null || isCopied || (await confirmDialog(NOT_COPIED))) onLeave();
    },
    memory: { secret: null, isCopied: false, offered: null, spoken: null },
  };
  const steps = [passwordStep(run), providerStep(run), modelsStep(run), keyStep(run), answerStep(run)];
  const frames = steps.map(({ title }, index) => createStepFrame(title, index + 1));
  const restore = restoreBox(() => void run.finish());
  const element = h(
    'section',
    { class: 'first-run', 'aria-labelledby': 'first-run' },
    h(
      'header',
      null,
      h('h2', { id: 'first-run' }, 'Set it up'),
      h(
        'p',
        { class: 'muted' },
        'Five steps, about two minutes. You can leave and continue later. Have a backup? ',
        restore.button,
      ),
    ),
    restore.element,
    h('ol', { class: 'run-steps' }, ...frames.map((frame) => frame.element)),
    h('div', { class: 'below' }, below),
  );

  function render() {
    if (records === null) return;
    const facts = factsOf(records);
    const done = steps.map((step) => step.isDone(facts));
    // A password can wait: with a provider the next steps are more urgent.
    const isPassed = steps.map(({ id }, index) => done[index] || skipped.has(id) || (index === 0 && done[1]));
    const open = steps.findIndex(({ id }, index) => (opened === null ? !isPassed[index] : id === opened));
    for (const [index, step] of steps.entries()) {
      const kind = index === open ? 'current' : done[index] ? 'done' : isPassed[index] ? 'skipped' : 'todo';
      const isOpen = kind === 'current' || step.isKept?.(kind, facts) === true;
      frames[index].show({
        kind,
        text: kind === 'done' ? step.doneText(facts) : step.todo,
        action: actionOf(step, kind, facts),
        content: isOpen ? step.content : null,
      });
      if (isOpen) step.update?.(facts);
    }
    shown = open;
  }

  /**
   * @param {Step} step
   * @param {string} kind
   * @param {Facts} facts
   */
  function actionOf(step, kind, facts) {
    const { change } = step;
    if (kind === 'done') return change ? { label: change.label, run: () => change.run(facts) } : null;
    if (kind !== 'skipped') return null;
    return {
      label: 'Do it now',
      run: () => {
        opened = step.id;
        render();
        focusShown();
      },
    };
  }

  function focusShown() {
    (frames[shown] ?? frames[frames.length - 1]).focus();
  }

  return {
    element,
    leave: () => void run.leave(),
    /** @param {Records} next */
    update(next) {
      records = next;
      render();
    },
    /** A request that has just ended. @param {import('./traffic-types.js').LoggedRequest} entry */
    addEntry(entry) {
      if (records === null || records.requests.some(({ id }) => id === entry.id)) return;
      records = { ...records, requests: [entry, ...records.requests] };
      render();
    },
  };
}

/** @param {() => void} onRestored */
function restoreBox(onRestored) {
  const element = h('div', { hidden: true });
  const button = h(
    'button',
    {
      type: 'button',
      class: 'link-btn',
      'aria-expanded': 'false',
      onclick: () => {
        if (!element.hasChildNodes()) element.append(restoreCard(onRestored));
        element.hidden = !element.hidden;
        button.setAttribute('aria-expanded', String(!element.hidden));
      },
    },
    'Restore it',
  );
  return { element, button };
}
