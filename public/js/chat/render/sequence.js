/** Shows values that grow at their end, in parts: what is added lays out the last part only. */

/**
 * @template T
 * @typedef {{ readonly element: HTMLElement, update(value: T): boolean }} View update: false if the element cannot show this
 *   value
 */
/** @typedef {ReturnType<typeof createParts>} Parts */

/**
 * The elements that take values, each of them so many.
 * @param {{ size: number, first?: HTMLElement | null, add: (index: number) => HTMLElement }} options
 *   first: takes the first values; add: makes a part that begins with the value of this index, and puts it on the page
 */
export function createParts({ size, first = null, add }) {
  const parts = first === null ? [] : [first];
  return {
    all: () => parts,
    /** The part for a value. @param {number} index */
    of(index) {
      const at = Math.floor(index / size);
      while (parts.length <= at) parts.push(add(parts.length * size));
      return /** @type {HTMLElement} */ (parts[at]);
    },
    /** Removes the parts that so many values leave empty. @param {number} count */
    trim(count) {
      const needed = Math.max(Math.ceil(count / size), first === null ? 0 : 1);
      for (const part of parts.splice(needed)) part.remove();
    },
  };
}

/**
 * Shows values that are equal by identity as long as nothing but their end changes.
 * @template {object} T
 * @param {Parts} parts
 * @param {(value: T) => View<T>} create
 * @returns {(values: readonly T[]) => void}
 */
export function createSequence(parts, create) {
  /** @type {{ value: T, view: View<T> }[]} */ const shown = [];
  return (values) => {
    let same = Math.min(shown.length, values.length);
    while (same > 0 && shown[same - 1]?.value !== values[same - 1]) same -= 1;
    // The last of those that stay may have grown.
    const first = Math.max(0, same - 1);
    for (const [index, value] of values.slice(first).entries()) {
      const old = shown[first + index];
      if (old?.view.update(value)) {
        old.value = value;
        continue;
      }
      const view = create(value);
      if (old) old.view.element.replaceWith(view.element);
      else parts.of(first + index).append(view.element);
      shown[first + index] = { value, view };
    }
    for (const { view } of shown.splice(values.length)) view.element.remove();
    parts.trim(values.length);
  };
}
