/** How much each model was used lately: two columns of the list of models. */
import { api } from '../lib/api.js';
import { compact, money, number } from '../lib/format.js';
import { h } from '../lib/h.js';
import { serverNow } from '../lib/server-clock.js';

/**
 * @import { Figures } from './traffic-types.js'
 * @typedef {Pick<Figures, 'requests' | 'costUsd' | 'unpricedRequests'>} ModelUse
 * @typedef {import('../lib/types.js').Model} Model
 */

const DAYS = 30;
const DAY_MS = 86_400_000;
const NOTHING = () => h('span', { class: 'muted' }, '–');

/**
 * The use of the last 30 days. Before it is loaded, and where it cannot be, the columns are empty.
 * @param {{ signal: AbortSignal, models: () => readonly Model[], onChange: () => void }} options
 */
export function createModelUsage({ signal, models, onChange }) {
  /** By the name that was asked for; null: not loaded. @type {Map<string, ModelUse> | null} */
  let byName = null;
  /** By the id of the model, with those of patterns. @type {Map<string, ModelUse> | null} */
  let byModel = null;

  async function load() {
    const from = new Date(serverNow() - DAYS * DAY_MS).toISOString();
    try {
      const { data } = await api.get(`/api/admin/usage?from=${from}&groupBy=model`, {
        signal,
        keepSession: true,
      });
      byName = new Map(data.map((/** @type {ModelUse & { model: string }} */ row) => [row.model, row]));
      byModel = null;
      onChange();
    } catch {
      // The list tells the rest, and it is tried again.
    }
  }

  /** @param {Model} model */
  function of(model) {
    if (byName === null) return null;
    byModel ??= usesByModel(byName, models());
    return byModel.get(model.id) ?? null;
  }

  /** @type {import('../lib/list.js').Column<Model>[]} */
  const columns = [
    {
      label: `Requests, ${DAYS} d`,
      class: 'c1 c3 w-use r',
      sort: (model) => of(model)?.requests ?? 0,
      cell: (model) => requestsCell(of(model)),
      isLive: true,
    },
    {
      label: `≈ Spend, ${DAYS} d`,
      class: 'c1 c2 w-use r',
      sort: (model) => of(model)?.costUsd ?? -1,
      cell: (model) => spendCell(of(model)),
      isLive: true,
    },
  ];
  return {
    columns,
    load,
    /** The list of models has changed: patterns may serve other names. */
    forget() {
      byModel = null;
    },
  };
}

/**
 * What was asked for by name, and for a pattern all that it serves: the names that fit and that no model has. Where several
 * patterns fit, the one with the most text serves it.
 * @param {ReadonlyMap<string, ModelUse>} byName
 * @param {readonly Pick<Model, 'id'>[]} models
 * @returns {Map<string, ModelUse>}
 */
export function usesByModel(byName, models) {
  const ids = new Set(models.map(({ id }) => id));
  const patterns = [...ids].filter((id) => id.includes('*')).sort((a, b) => b.length - a.length);
  /** @type {Map<string, ModelUse>} */
  const uses = new Map();
  for (const [name, use] of byName) {
    const id = ids.has(name) ? name : patterns.find((pattern) => fits(name, pattern));
    if (id === undefined) continue;
    const { requests, costUsd, unpricedRequests } = use;
    const sum = uses.get(id) ?? { requests: 0, costUsd: null, unpricedRequests: 0 };
    uses.set(id, {
      requests: sum.requests + requests,
      costUsd: costUsd === null ? sum.costUsd : (sum.costUsd ?? 0) + costUsd,
      unpricedRequests: sum.unpricedRequests + unpricedRequests,
    });
  }
  return uses;
}

/**
 * @param {string} name
 * @param {string} pattern with one `*`
 */
function fits(name, pattern) {
  const [start = '', end = ''] = pattern.split('*');
  return name.length > start.length + end.length && name.startsWith(start) && name.endsWith(end);
}

/** @param {ModelUse | null} use */
function requestsCell(use) {
  if (use === null) return NOTHING();
  const { requests } = use;
  return h('span', { title: `${number(requests)} requests in the last ${DAYS} days` }, shortNumber(requests));
}

/** @param {number} value */
function shortNumber(value) {
  return value < 100_000 ? number(value) : compact(value);
}

/** What has no price is not free. @param {ModelUse | null} use */
function spendCell(use) {
  if (use === null) return NOTHING();
  const { costUsd, unpricedRequests } = use;
  if (costUsd === null)
    return unpricedRequests > 0 ? h('span', { class: 'badge warn' }, 'no price') : NOTHING();
  const text = costUsd === 0 ? h('span', { class: 'muted' }, 'free') : money(costUsd);
  const more = `${number(unpricedRequests)} more without a price`;
  return unpricedRequests === 0 ? text : h('span', { title: more }, '≥ ', text);
}
