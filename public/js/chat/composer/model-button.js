/** The choice of the model in the composer. */
import { messageOf } from '../../lib/api.js';
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';
import { toast } from '../../lib/toast.js';
import { visionMark } from './vision-mark.js';

/** @typedef {import('../types.js').Model} Model */

const loadList = () => import('./model-list.js');

/**
 * @param {{ onChange: () => void, onMissing: () => void, isKeyNeeded: boolean }} options
 *   onChange: another model, or another list of models; onMissing: pressed while there is no model to choose
 */
export function createModelButton({ onChange, onMissing, isKeyNeeded }) {
  /** @type {readonly Model[]} */
  let models = [];
  /** Kept while there is no list. @type {string | null} */
  let wanted = null;
  /** @type {Model | null} */
  let chosen = null;
  /** Pressed before the models were loaded: their list opens once they are, if the button still has the focus. */
  let isAwaited = false;
  let whyNone = isKeyNeeded ? 'Enter an API key first' : 'Loading the models …';
  const element = h('button', {
    type: 'button',
    class: 'btn quiet small model-btn',
    'aria-haspopup': 'dialog',
    'aria-expanded': false,
    onclick: press,
    // Who types at once after the press finds the list there.
    onfocus: () => void loadList().catch(() => {}),
    onpointerenter: () => void loadList().catch(() => {}),
  });

  function press() {
    void open().catch((error) => toast.error(messageOf(error)));
  }

  async function open() {
    isAwaited = models.length === 0;
    if (isAwaited) {
      // Safari does not focus a button that is pressed.
      element.focus();
      return onMissing();
    }
    const keys = collectKeys(element);
    const { openModelList } = await loadList().finally(keys.end);
    openModelList(element, { models, chosen: chosen?.id ?? null, query: keys.text(), onChoose: choose });
  }

  /** @param {Model} model */
  function choose(model) {
    wanted = model.id;
    chosen = model;
    render();
    onChange();
  }

  function render() {
    element.setAttribute('aria-label', chosen ? `Model: ${chosen.name}` : `Model: ${whyNone}`);
    element.title = chosen?.id ?? '';
    element.replaceChildren(
      h('span', { class: 'truncate' }, chosen?.name ?? whyNone),
      ...(chosen?.hasVision ? [visionMark()] : []),
      icon('down'),
    );
  }

  render();
  return {
    element,
    chosen: () => chosen,
    models: () => models,
    /**
     * @param {readonly Model[] | null} list null if there is none
     * @param {string} why shown then
     */
    show(list, why) {
      const opens = isAwaited && document.activeElement === element;
      isAwaited = false;
      models = list ?? [];
      whyNone = list ? 'No model yet' : why;
      chosen =
        models.find(({ id }) => id === wanted) ??
        models.find(({ kind }) => kind === 'chat') ??
        models[0] ??
        null;
      render();
      onChange();
      if (!opens) return;
      if (models.length > 0) press();
      else onMissing();
    },
    /** Chooses a model by its id, once it is in the list. @param {string | null} id */
    want(id) {
      wanted = id;
      const found = models.find((model) => model.id === id);
      if (found) choose(found);
    },
  };
}

/**
 * What is typed at a button while its list is loaded.
 * @param {HTMLElement} button
 */
function collectKeys(button) {
  let text = '';
  const controller = new AbortController();
  button.focus();
  button.addEventListener(
    'keydown',
    (event) => {
      if (event.key.length > 1 || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      text += event.key;
    },
    { signal: controller.signal },
  );
  return { text: () => text, end: () => controller.abort() };
}
