/**
 * Remembers a control of a row, whose row may be rendered anew meanwhile.
 * @param {HTMLElement} control
 * @returns {() => HTMLElement | null} its successor, in the new row of the same record; null where that is gone or has none
 */
export function rememberControl(control) {
  const tr = control.closest('tr');
  const table = control.closest('table');
  // From the end of the row, because the buttons before the switch depend on the record's state.
  const fromEnd = tr === null ? 0 : controlsOf(tr).length - controlsOf(tr).indexOf(control);
  const { act } = control.dataset;
  const id = tr?.dataset.id ?? '';
  return () => {
    const row = table?.querySelector(`tr[data-id="${CSS.escape(id)}"]`) ?? null;
    const controls = row === null ? [] : controlsOf(row);
    return (act ? controls.find((one) => one.dataset.act === act) : controls.at(-fromEnd)) ?? null;
  };
}

/**
 * @param {Element} row
 * @returns {HTMLElement[]}
 */
function controlsOf(row) {
  return [...row.querySelectorAll('button, input, a')].filter((one) => one instanceof HTMLElement);
}
