/** @typedef {import('./types.js').Chat} Chat */

const month = new Intl.DateTimeFormat('en', { month: 'long' });
const monthAndYear = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric' });

/**
 * Groups the chats of a list by the day of their last change, in the zone of the browser: Pinned, Today, Yesterday,
 * Previous 7 days, then months.
 * @param {readonly Chat[]} chats in the order of the list
 * @param {number} nowMs
 * @returns {{ label: string, chats: Chat[] }[]} in the same order, no group is empty
 */
export function groupByDay(chats, nowMs) {
  /** @type {Map<string, Chat[]>} */
  const groups = new Map();
  const label = createLabels(nowMs);
  for (const chat of chats) {
    const name = chat.pinned ? 'Pinned' : label(chat.updatedAt);
    const group = groups.get(name);
    if (group) group.push(chat);
    else groups.set(name, [chat]);
  }
  return [...groups].map(([name, members]) => ({ label: name, chats: members }));
}

/**
 * @param {number} nowMs
 * @returns {(atMs: number) => string}
 */
function createLabels(nowMs) {
  const now = new Date(nowMs);
  // Days of the calendar, because a day with a change of the clock has 23 or 25 hours.
  const startOf = (/** @type {number} */ daysAgo) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo).getTime();
  const [today, yesterday, week] = [startOf(0), startOf(1), startOf(8)];
  return (atMs) => {
    if (atMs >= today) return 'Today';
    if (atMs >= yesterday) return 'Yesterday';
    if (atMs >= week) return 'Previous 7 days';
    const at = new Date(atMs);
    return (at.getFullYear() === now.getFullYear() ? month : monthAndYear).format(at);
  };
}
