import { h } from './h.js';
import { icon } from './icons.js';

/**
 * A handle by which a pointer drags a row to another place of its list. The row moves as soon as the pointer is past the
 * middle of its neighbour; Escape takes it back. For the keyboard and assistive tech the row has buttons that do the same.
 * @param {HTMLElement} row
 * @param {(step: -1 | 1) => void} move puts the row before or after its neighbour
 */
export function dragHandle(row, move) {
  return h(
    'span',
    { class: 'grip', 'aria-hidden': 'true', title: 'Drag to another place', onpointerdown: start },
    icon('grip'),
  );

  /** @param {PointerEvent} event */
  function start({ button, pointerId }) {
    if (button !== 0) return;
    const dragging = new AbortController();
    const { signal } = dragging;
    let steps = 0;
    row.classList.add('dragging');
    document.documentElement.classList.add('is-dragging');

    /** @param {-1 | 1} step */
    function moveBy(step) {
      steps += step;
      move(step);
      row.scrollIntoView({ block: 'nearest' });
    }
    /** @param {PointerEvent} event */
    function follow(event) {
      if (event.pointerId !== pointerId) return;
      const next = row.nextElementSibling;
      const previous = row.previousElementSibling;
      if (next !== null && event.clientY > middleOf(next)) moveBy(1);
      else if (previous !== null && event.clientY < middleOf(previous)) moveBy(-1);
    }
    function end() {
      dragging.abort();
      row.classList.remove('dragging');
      document.documentElement.classList.remove('is-dragging');
    }
    function takeBack() {
      while (steps !== 0) moveBy(steps > 0 ? -1 : 1);
      end();
    }
    // On the window, because a row that is moved loses a captured pointer.
    addEventListener('pointermove', follow, { signal });
    addEventListener('pointerup', (event) => event.pointerId === pointerId && end(), { signal });
    addEventListener('pointercancel', takeBack, { signal });
    addEventListener('blur', takeBack, { signal });
    addEventListener(
      'keydown',
      (event) => {
        if (event.key !== 'Escape') return;
        // It closes no dialog.
        event.preventDefault();
        event.stopPropagation();
        takeBack();
      },
      { signal, capture: true },
    );
  }
}

/** @param {Element} element */
function middleOf(element) {
  const { top, height } = element.getBoundingClientRect();
  return top + height / 2;
}
