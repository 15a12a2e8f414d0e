import { api, messageOf } from '../lib/api.js';
import { downloadFrom } from '../lib/download.js';
import { searchField } from '../lib/form.js';
import { plural } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { emptyState, failed, skeleton } from '../lib/states.js';
import { loadStyles } from '../lib/styles.js';
import { toast } from '../lib/toast.js';
import { hashOf, readHash } from '../lib/url-state.js';
import { createRequestDrawer } from './request-drawer.js';
import { MOST_LOADED, RequestFeed } from './request-feed.js';
import { RequestList } from './request-list.js';
import {
  ledgerTimes,
  questionKey,
  rangeChoices,
  rangeIn,
  rangeName,
  rangeParams,
  rangeValue,
  requestParams,
} from './requests-query.js';
import { zoneMinutes, zoneText } from './time-range.js';
import { clearFilters, createTrafficFilters, queryOf } from './traffic-filters.js';
import { createNames } from './traffic-names.js';

const PATH = '/api/admin/requests';
const FIRST_PAGE = 100;
const OLDER_PAGE = 200;
const EXPORTED = 1000;
const SEARCH_MS = 250;

/**
 * The Requests tab: the log of requests, with those that end now, and one of them in the drawer.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} context
 */
export function mountRequests(container, context) {
  const view = new RequestsView(container, context);
  void loadStyles('traffic.css').then(() => view.start());
}

class RequestsView {
  #context;
  #names;
  #list;
  #filters;
  #feed;
  #drawer;
  #count = h('span', { class: 'count small muted num push from-tablet' });
  #host = h('div', { class: 'stack' }, skeleton({ count: 8 }));
  #older = h(
    'button',
    { type: 'button', class: 'btn small', onclick: () => void this.#loadOlder() },
    'Older',
  );
  #search;
  #loading = new AbortController();
  /** @type {string | null} */
  #key = null;
  /** @type {string | null} */
  #next = null;
  #searchTimer = 0;

  /**
   * @param {HTMLElement} container
   * @param {import('../pages/admin.js').ViewContext} context
   */
  constructor(container, context) {
    this.#context = context;
    const { url, signal } = context;
    this.#names = createNames(() => this.#rename());
    this.#list = new RequestList({
      names: this.#names,
      href: (id) => hashOf('requests', withOpen(id)),
      onOpen: (id) => url.set({ open: id }),
      signal,
    });
    this.#filters = createTrafficFilters({
      url,
      names: this.#names,
      time: () => ledgerTimes(url),
      before: [
        {
          id: 'range',
          label: 'Time',
          isGiven: true,
          choices: () => Promise.resolve(rangeChoices()),
          nameOf: (value) => rangeName(url, value),
        },
      ],
      onBefore: (_id, [range = '']) => url.set(rangeParams(range)),
      end: this.#count,
    });
    this.#drawer = createRequestDrawer({
      context,
      path: PATH,
      list: this.#list,
      show: { names: this.#names, tab: 'requests' },
      loadOlder: () => this.#loadOlder(),
    });
    this.#feed = new RequestFeed({
      list: this.#list,
      signal,
      reload: () => void this.#load(),
      onChange: (oldestId) => {
        this.#next = oldestId ?? this.#next;
        this.#render();
      },
    });
    this.#search = searchField('Request id, model or key', (text) => this.#type(text));
    this.#search.control.setAttribute('aria-label', 'Search requests');
    container.append(h('div', { class: 'stack' }, this.#filters.element, this.#host));
  }

  start() {
    const { url, head, signal } = this.#context;
    if (signal.aborted) return;
    head.set(this.#search.element, ...this.#feed.elements, this.#exportButton());
    url.onChange(() => this.#follow());
    addEventListener('server-back', () => this.#feed.fillGap(), { signal });
    signal.addEventListener('abort', () => {
      this.#loading.abort();
      clearTimeout(this.#searchTimer);
    });
    this.#follow();
  }

  #exportButton() {
    const label = 'Export these requests as CSV';
    const save = async () => {
      try {
        await downloadFrom(
          `${PATH}?${queryOf({ ...requestParams(this.#context.url), limit: EXPORTED, format: 'csv' })}`,
          'requests.csv',
        );
      } catch (error) {
        toast.error(messageOf(error));
      }
    };
    return h(
      'button',
      { type: 'button', class: 'btn square', 'aria-label': label, title: label, onclick: () => void save() },
      icon('download'),
    );
  }

  /** Shows what the address says. */
  #follow() {
    const { url } = this.#context;
    this.#filters.show({ range: [rangeValue(url)] });
    const { control } = this.#search;
    if (document.activeElement !== control) control.value = url.get('search') ?? '';
    const key = questionKey(url);
    if (key === this.#key) this.#showOpen();
    else void this.#load();
    this.#key = key;
  }

  async #load() {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    this.#host.setAttribute('aria-busy', 'true');
    const { url } = this.#context;
    const range = rangeIn(url);
    const canGrow = range === null || range.isRunning;
    this.#feed.start(canGrow ? `${PATH}/live?${queryOf({ ...requestParams(url), from: null })}` : null);
    try {
      const { data, next } = await api.get(
        `${PATH}?${queryOf({ ...requestParams(url), limit: FIRST_PAGE })}`,
        { signal },
      );
      if (signal.aborted) return;
      this.#next = next;
      this.#list.reset(data);
      this.#render();
      this.#feed.setLoaded();
      this.#showOpen();
    } catch (error) {
      if (signal.aborted) return;
      this.#host.replaceChildren(
        h(
          'div',
          { class: 'card' },
          failed(messageOf(error), () => this.#load()),
        ),
      );
    } finally {
      if (!signal.aborted) this.#host.removeAttribute('aria-busy');
    }
  }

  async #loadOlder() {
    const { signal } = this.#loading;
    if (this.#next === null || this.#older.getAttribute('aria-busy') === 'true') return false;
    this.#older.setAttribute('aria-busy', 'true');
    try {
      const query = queryOf({ ...requestParams(this.#context.url), before: this.#next, limit: OLDER_PAGE });
      const { data, next } = await api.get(`${PATH}?${query}`, { signal });
      if (signal.aborted) return false;
      this.#feed.setPaged();
      this.#next = next;
      this.#list.append(data);
      this.#render();
      return true;
    } catch (error) {
      if (!signal.aborted) toast.error(messageOf(error));
      return false;
    } finally {
      this.#older.removeAttribute('aria-busy');
    }
  }

  #render() {
    const { size } = this.#list;
    const more = this.#next === null ? '' : ' and older';
    this.#count.textContent = `${plural(size, 'request')}${more}`;
    if (size === 0 && this.#next === null) {
      this.#host.replaceChildren(h('div', { class: 'card' }, this.#empty()));
      return;
    }
    const isFull = size >= MOST_LOADED;
    this.#older.hidden = this.#next === null || isFull;
    if (this.#list.element.isConnected) return;
    const zone = zoneText(zoneMinutes());
    const text = `Times are your time (${zone}). Never the content of a request is kept.`;
    this.#host.replaceChildren(
      this.#list.element,
      h('div', { class: 'row between small muted' }, h('span', null, text), this.#older),
    );
    this.#list.shown();
  }

  #empty() {
    const isFiltered = Object.values(requestParams(this.#context.url)).some(
      (value) => value !== null && value !== undefined,
    );
    if (!isFiltered)
      return emptyState(
        'requests',
        'No requests yet',
        'Send one with a key, and it appears here as soon as it is answered.',
      );
    const clear = () => {
      const { url } = this.#context;
      url.set(rangeParams('any'), { replace: true });
      clearFilters(url);
    };
    return emptyState(
      'requests',
      'No request fits',
      'Nothing in the log fits the time and the filters.',
      h('button', { type: 'button', class: 'btn', onclick: clear }, 'Clear filters'),
    );
  }

  #rename() {
    if (this.#context.signal.aborted) return;
    this.#filters.show({ range: [rangeValue(this.#context.url)] });
    this.#list.redraw();
  }

  /** @param {string} text */
  #type(text) {
    clearTimeout(this.#searchTimer);
    this.#searchTimer = setTimeout(
      () => this.#context.url.set({ search: text }, { replace: true }),
      SEARCH_MS,
    );
  }

  #showOpen() {
    this.#feed.pause.set('open', this.#context.url.get('open') !== null);
    void this.#drawer.follow();
  }
}

/** The present address with a request that is open. @param {string} id */
function withOpen(id) {
  const { params } = readHash();
  params.set('open', id);
  return params;
}
