/** Turns the comparison on and off. Its modules are loaded when it is used first. */
import { messageOf } from '../../lib/api.js';
import { h } from '../../lib/h.js';
import { toast } from '../../lib/toast.js';

/** @typedef {ReturnType<typeof import('./compare.js').createCompare>} Compare */

/**
 * @param {{
 *   conversation: () => import('../conversation/conversation.js').Conversation,
 *   log: ReturnType<typeof import('../conversation/log.js').createLog>,
 *   composer: () => ReturnType<typeof import('../composer/composer.js').createComposer>,
 *   model: ReturnType<typeof import('../composer/model-button.js').createModelButton>, onChange: () => void,
 * }} options onChange: the comparison began, ended or has other models
 */
export function createCompareMode({ conversation, log, composer, model, onChange }) {
  /** @type {Compare | null} */
  let compare = null;
  /** The chosen models, in the composer. */
  const chips = h('span', { class: 'compare-chips' });

  function onModels() {
    showPlaceholder();
    onChange();
  }

  function showPlaceholder() {
    if (compare) composer().setPlaceholder(compare.models().length > 2 ? 'Ask all three' : 'Ask both');
  }

  async function begin() {
    try {
      const { createCompare } = await import('./compare.js');
      const first = model.chosen();
      if (!first || compare) return;
      model.element.hidden = true;
      compare = createCompare({
        conversation: conversation(),
        log,
        host: chips,
        first,
        models: model.models(),
        onChange: onModels,
        onContinue(chosen, leafId) {
          model.want(chosen.id);
          end();
          void conversation().showLeaf(leafId);
          composer().focus();
        },
      });
      composer().focus();
      onModels();
    } catch (error) {
      toast.error(messageOf(error));
    }
  }

  function end() {
    if (!compare) return;
    compare.close();
    compare = null;
    model.element.hidden = false;
    composer().setModel(model.chosen());
    conversation().render({ isEndShown: true });
    onChange();
  }

  return {
    chips,
    end,
    showPlaceholder,
    current: () => compare,
    toggle() {
      if (compare) end();
      else void begin();
    },
    isPossible: () =>
      model.chosen()?.kind === 'chat' && model.models().filter(({ kind }) => kind === 'chat').length > 1,
  };
}
