/** Code blocks: language, buttons, and lines in groups, so that a line that is added changes the last group only. */
import { copyButton } from '../../lib/copy.js';
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';

/** @typedef {import('./highlight.js').State} State @typedef {import('./highlight.js').Token} Token */
/** @typedef {{ text: string, element: HTMLElement, tokens: Token[], state: State, isPainted: boolean }} Group  state: of the highlighter after the group */

/** A group is full with so many lines, or at the end of the line with this character. */
const GROUP_LINES = 40;
const GROUP_CHARS = 4096;
/** Very long lines, as in minified code, stay without colours. */
const MAX_PAINTED_CHARS = 2 * GROUP_CHARS;
const MAX_INFO_CHARS = 40;

/** @type {typeof import('./highlight.js') | null} */
let highlighter = null;

/**
 * A code block that grows.
 * @param {string} info the text after the opening fence
 * @returns {{ element: HTMLElement, update(text: string): void }}
 */
export function createCode(info) {
  const name = [...(info.split(/[\s{,]/)[0] ?? '')].slice(0, MAX_INFO_CHARS).join('');
  let shown = '';
  /** @type {Group[]} */ const groups = [];
  const code = h('code');
  const pre = h('pre', { tabindex: 0, role: 'group', 'aria-label': name ? `Code, ${name}` : 'Code' }, code);
  const element = h(
    'div',
    { class: 'code md-code' },
    h(
      'div',
      { class: 'code-head' },
      h('span', { class: 'truncate' }, name || 'text'),
      wrapButton(pre),
      downloadButton(name, () => shown),
      copyButton(() => shown, pre, { label: 'Copy code' }),
    ),
    pre,
  );
  if (name !== '' && !highlighter) {
    // Without the module, after a lost connection for example, the code stays without colours.
    import('./highlight.js').then(
      (module) => {
        highlighter = module;
        paintLater(() => groups.find((group) => !group.isPainted && paint(group)) !== undefined);
      },
      () => {},
    );
  }

  /** @param {Group} group @returns {boolean} */
  function paint(group) {
    const language = highlighter?.findLanguage(name);
    const before = groups[groups.lastIndexOf(group) - 1];
    // Groups are painted in order: a comment may reach from one into the next.
    group.isPainted = highlighter !== null && before?.isPainted !== false;
    if (!highlighter || !language || !group.isPainted || group.text.length > MAX_PAINTED_CHARS) {
      showTokens(group, [['', group.text]]);
      return false;
    }
    const { tokens, state } = highlighter.highlight(language, group.text, before?.state ?? null);
    group.state = state;
    showTokens(group, tokens);
    return true;
  }

  return {
    element,
    update(text) {
      let from = shown.length;
      // An unfinished line may be taken back, and with it the groups that it reached.
      while (groups.length > 0) {
        const last = /** @type {Group} */ (groups.at(-1));
        from -= last.text.length;
        if (text.startsWith(last.text, from)) break;
        groups.pop();
        last.element.remove();
      }
      const last = groups.at(-1);
      shown = text;
      if (last && isFull(last.text)) from += last.text.length;
      for (let group = last && !isFull(last.text) ? last : null; from < text.length; group = null) {
        const end = groupEnd(text, from);
        const open = group ?? addGroup();
        open.text = text.slice(from, end);
        paint(open);
        from = end;
      }
    },
  };

  /** @returns {Group} */
  function addGroup() {
    const group = { text: '', element: h('span'), tokens: [], state: null, isPainted: false };
    groups.push(group);
    code.append(group.element);
    return group;
  }
}

/**
 * Shows tokens in the element of a group. Those that stay the same keep their nodes.
 * @param {Group} group @param {Token[]} tokens
 */
function showTokens(group, tokens) {
  const { element, tokens: before } = group;
  let same = 0;
  while (
    same < before.length &&
    before[same]?.[0] === tokens[same]?.[0] &&
    before[same]?.[1] === tokens[same]?.[1]
  )
    same += 1;
  const [old, next] = [before[same], tokens[same]];
  if (old && next && old[0] === next[0] && next[1].startsWith(old[1])) {
    const node = element.childNodes[same];
    const text = node instanceof Text ? node : node?.firstChild;
    if (text instanceof Text) {
      text.appendData(next[1].slice(old[1].length));
      same += 1;
    }
  }
  while (element.childNodes.length > same) element.lastChild?.remove();
  element.append(
    ...tokens
      .slice(same)
      .map(([type, text]) => (type === '' ? text : h('span', { class: `tok-${type}` }, text))),
  );
  group.tokens = tokens;
}

/** @param {string} text */
function isFull(text) {
  return groupEnd(`${text}x`, 0) === text.length;
}

/**
 * @param {string} text
 * @param {number} from
 * @returns {number} the end of the group that starts at `from`; the length of the text if the group is not full
 */
function groupEnd(text, from) {
  let end = from;
  for (let lines = 0; lines < GROUP_LINES && end - from < GROUP_CHARS; lines += 1) {
    const at = text.indexOf('\n', end);
    if (at < 0) return text.length;
    end = at + 1;
  }
  return end;
}

/** What is to be painted, oldest first: each call paints a group, and returns false at the end. @type {(() => boolean)[]} */
const queue = [];
const GROUPS_PER_FRAME = 8;

/** @param {() => boolean} step */
function paintLater(step) {
  queue.push(step);
  if (queue.length === 1) requestAnimationFrame(paintSome);
}

function paintSome() {
  for (let painted = 0; painted < GROUPS_PER_FRAME && queue.length > 0; painted += 1)
    while (queue.length > 0 && !queue[0]?.()) queue.shift();
  if (queue.length > 0) requestAnimationFrame(paintSome);
}

/** @param {HTMLElement} pre */
function wrapButton(pre) {
  const button = h(
    'button',
    {
      type: 'button',
      class: 'btn quiet small square',
      'aria-label': 'Wrap lines',
      title: 'Wrap lines',
      'aria-pressed': false,
    },
    icon('wrap'),
  );
  button.addEventListener('click', () => {
    button.setAttribute('aria-pressed', String(pre.classList.toggle('is-wrapped')));
  });
  return button;
}

/**
 * @param {string} language
 * @param {() => string} text
 */
function downloadButton(language, text) {
  const button = h(
    'button',
    { type: 'button', class: 'btn quiet small square', 'aria-label': 'Download code', title: 'Download' },
    icon('download'),
  );
  button.addEventListener('click', () => {
    const extension = highlighter?.findLanguage(language)?.extension ?? 'txt';
    const url = URL.createObjectURL(new Blob([text()], { type: 'text/plain' }));
    h('a', { href: url, download: `code.${extension}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  });
  return button;
}
