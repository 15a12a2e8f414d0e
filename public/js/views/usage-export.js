import { messageOf } from '../lib/api.js';
import { downloadFrom } from '../lib/download.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { openMenu } from '../lib/menu.js';
import { toast } from '../lib/toast.js';
import { dateValue } from './time-text.js';
import { usagePath } from './usage-data.js';

/**
 * The button that saves what the page shows: the lines of the table, or the chart with its buckets.
 * @param {() => import('./usage-data.js').UsageQuestion} question
 */
export function exportButton(question) {
  const button = h(
    'button',
    { type: 'button', class: 'btn', 'aria-haspopup': 'menu', 'aria-expanded': false },
    icon('download'),
    'Export',
  );
  /**
   * @param {'csv' | 'json'} format
   * @param {boolean} isChart
   */
  async function save(format, isChart) {
    const asked = question();
    const { range, group } = asked;
    const days = [dateValue(range.fromMs, range.zone), dateValue(range.toMs - 1, range.zone)];
    const name = ['usage', ...days, `by-${group}`, ...(isChart ? [`per-${range.bucket}`] : [])].join('-');
    const options = { groupBy: group, format, ...(isChart && { bucket: range.bucket }) };
    try {
      await downloadFrom(usagePath(asked, options), `${name}.${format}`);
    } catch (error) {
      toast.error(messageOf(error));
    }
  }
  button.addEventListener('click', () => {
    const unit = question().range.bucket;
    const item = (
      /** @type {string} */ label,
      /** @type {'csv' | 'json'} */ format,
      /** @type {boolean} */ isChart,
    ) => ({
      label,
      startsGroup: isChart && format === 'csv',
      onSelect: () => save(format, isChart),
    });
    const items = [
      item('Table as CSV', 'csv', false),
      item('Table as JSON', 'json', false),
      item(`Chart per ${unit} as CSV`, 'csv', true),
      item(`Chart per ${unit} as JSON`, 'json', true),
    ];
    openMenu(button, items, { label: 'Export' });
  });
  return button;
}
