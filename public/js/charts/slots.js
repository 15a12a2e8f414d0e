import { h } from '../lib/h.js';

/** @import { Series } from './types.js' */

const SLOTS = 5;
export const OTHER_SLOT = 6;
export const BAD_SLOT = 7;
const MOST_REMEMBERED = 2000;
/** The sum of everything stands alone and is drawn in the accent. */
const TOTAL = 'total';

/**
 * Remembers which colour belongs to which entity, so that a filter or another rank never changes it.
 * @returns {{ assign(ids: readonly string[]): Map<string, number> }}
 */
export function createSlotBook() {
  /** @type {Map<string, number>} */
  const remembered = new Map();

  return {
    /**
     * Slots 1 to 5 for at most five entities that stand together. Two that want the same slot do not both get it: who
     * was there first keeps it, of two new ones the first by name, and the other one gets a free one from then on. So the
     * same entities have the same colours on every page, whatever their rank.
     * @param {readonly string[]} ids
     */
    assign(ids) {
      /** @type {Map<string, number>} */
      const slots = new Map();
      const taken = new Set();
      const known = [...remembered.keys()].filter((id) => ids.includes(id));
      for (const id of [...known, ...ids.toSorted()]) {
        if (slots.has(id)) continue;
        let slot = remembered.get(id) ?? 1 + (hash(id) % SLOTS);
        for (let tries = 0; taken.has(slot) && tries < SLOTS; tries++) slot = (slot % SLOTS) + 1;
        taken.add(slot);
        slots.set(id, slot);
        remembered.set(id, slot);
      }
      for (const id of remembered.keys()) {
        if (remembered.size <= MOST_REMEMBERED) break;
        remembered.delete(id);
      }
      return slots;
    },
  };
}

/** The colours of this page. Nothing of it is stored: names of models and keys do not belong into the browser. */
export const pageSlots = createSlotBook();

/**
 * @param {readonly Series[]} series at most five of them with a colour of their own
 * @param {ReturnType<typeof createSlotBook>} [book]
 * @returns {Map<string, number>}
 */
export function slotsOfSeries(series, book = pageSlots) {
  const named = series.filter(({ id, isOther, isBad }) => id !== TOTAL && !isOther && !isBad);
  const slots = book.assign(named.map(({ id }) => id));
  for (const { id, isOther, isBad } of series) {
    if (id === TOTAL) slots.set(id, 1);
    else if (isOther) slots.set(id, OTHER_SLOT);
    else if (isBad) slots.set(id, BAD_SLOT);
  }
  return slots;
}

/**
 * A small square in a series' colour, for legends and tables.
 * @param {number} slot
 */
export function swatch(slot) {
  return h('span', { class: `chart-swatch chart-slot-${slot}`, 'aria-hidden': 'true' });
}

/**
 * FNV-1a: spreads similar names well.
 * @param {string} text
 */
function hash(text) {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return (value ^ (value >>> 15)) >>> 0;
}
