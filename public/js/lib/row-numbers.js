/**
 * Tells assistive tech how many rows a table has, and which of them its rows are, as long as some are not in the page.
 * @param {HTMLTableElement} table
 * @param {readonly { items: readonly unknown[], body: HTMLTableSectionElement, isDrawn: boolean }[]} chunks all of it, in order
 */
export function numberRows(table, chunks) {
  const isWhole = chunks.every(({ isDrawn }) => isDrawn);
  let index = table.tHead?.rows.length ?? 0;
  for (const { items, body } of chunks) {
    for (const [at, row] of [...body.rows].entries())
      if (isWhole) row.removeAttribute('aria-rowindex');
      else row.setAttribute('aria-rowindex', String(index + at + 1));
    index += items.length;
  }
  if (isWhole) table.removeAttribute('aria-rowcount');
  else table.setAttribute('aria-rowcount', String(index));
}
