/** The tools that a model wants to be called, while their arguments arrive. */
import { h } from '../../lib/h.js';
import { createCode } from '../render/code-view.js';
import { createFrameWork } from '../render/frame-work.js';

/** @typedef {import('../types.js').ToolCall} ToolCall */

/** @param {{ onRender: () => void }} options */
export function createToolCalls({ onRender }) {
  const element = h('div', { class: 'stack tight', hidden: true });
  /** @type {((call: ToolCall) => void)[]} */
  const views = [];
  /** @type {readonly ToolCall[]} */
  let calls = [];
  const work = createFrameWork(() => {
    element.hidden = calls.length === 0;
    for (const [index, call] of calls.entries()) {
      const show = views[index] ?? addCall();
      views[index] = show;
      show(call);
    }
    onRender();
  });

  function addCall() {
    const name = h('strong');
    const code = createCode('json');
    const title = h('div', { class: 'small' }, 'Tool call: ', name);
    element.append(h('div', { class: 'tool-call' }, title, code.element));
    return (/** @type {ToolCall} */ call) => {
      name.textContent = call.name || '…';
      code.update(call.arguments);
    };
  }

  return {
    element,
    /** Shows them in the next frame. @param {readonly ToolCall[]} next */
    show(next) {
      calls = next;
      work.request();
    },
  };
}
