/**
 * Makes the content of an element equal to new content, and changes only what differs: the focus, a hovered button and a
 * selected text stay. Elements with handlers need a `data-act` that says what they do and to what: an element is kept only
 * for a successor with the same one.
 * @param {Element} current
 * @param {readonly Node[]} next
 */
export function patchChildren(current, next) {
  const olds = [...current.childNodes];
  next.forEach((node, index) => {
    const old = olds[index];
    if (old === undefined) current.append(node);
    else patchNode(old, node);
  });
  for (const old of olds.slice(next.length)) old.remove();
}

/**
 * @param {ChildNode} current
 * @param {Node} next
 */
function patchNode(current, next) {
  if (current instanceof Text && next instanceof Text) {
    if (current.data !== next.data) current.data = next.data;
  } else if (current instanceof Element && next instanceof Element && isSame(current, next)) {
    patchAttributes(current, next);
    if (current instanceof HTMLInputElement && next instanceof HTMLInputElement)
      current.checked = next.checked;
    patchChildren(current, [...next.childNodes]);
  } else {
    current.replaceWith(next);
  }
}

/**
 * @param {Element} current
 * @param {Element} next
 */
function isSame(current, next) {
  return (
    current.nodeName === next.nodeName && current.getAttribute('data-act') === next.getAttribute('data-act')
  );
}

/**
 * @param {Element} current
 * @param {Element} next
 */
function patchAttributes(current, next) {
  for (const { name } of [...current.attributes]) if (!next.hasAttribute(name)) current.removeAttribute(name);
  for (const { name, value } of next.attributes)
    if (current.getAttribute(name) !== value) current.setAttribute(name, value);
}
