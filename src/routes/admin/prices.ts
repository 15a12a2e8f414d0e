import { sendJson } from '../../http/reply.ts';
import { listPrices, PRICE_LIST_AS_OF } from '../../usage/price-list.ts';
import type { Context } from '../context.ts';

/** Shows the shipped price list. */
export function showPriceList(context: Context): void {
  sendJson(context, 200, { asOf: PRICE_LIST_AS_OF, data: listPrices() });
}
