import { createLiveButton } from './live-button.js';
import { createLiveTail } from './request-live.js';
import { createPause } from './request-pause.js';

/** @import { LoggedRequest } from './traffic-types.js' */

/** Held in the page while new ones come, and after older pages were asked for. */
const MOST_LIVE = 1000;
export const MOST_LOADED = 20_000;
/** A larger batch replaces the list. */
const MOST_AT_ONCE = 100;

/** Puts the requests that end now on top of a list, unless somebody reads it. */
export class RequestFeed {
  #options;
  #tail;
  #button;
  /** Why the list stands still. */
  pause;
  #isLoaded = false;
  #isStale = false;
  #hasPaged = false;
  /** The newest first. @type {LoggedRequest[]} */
  #waiting = [];
  #count = 0;
  /** @type {import('./request-live.js').LiveState} */
  #state = 'off';

  /**
   * @param {{
   *   list: import('./request-list.js').RequestList, signal: AbortSignal, reload: () => void,
   *   onChange: (oldestId: string | null) => void,
   * }} options reload: loads the list again; onChange: the list has changed, and where it was cut its oldest request is named
   */
  constructor(options) {
    this.#options = options;
    const { list, signal } = options;
    this.pause = createPause({ list: list.element, signal, onChange: () => this.#settle() });
    this.#button = createLiveButton({ onPress: () => this.#press(), signal });
    this.#tail = createLiveTail({
      onBatch: (requests) => this.#receive(requests),
      onGap: () => this.fillGap(),
      onState: (state) => {
        this.#state = state;
        this.#show();
      },
    });
    signal.addEventListener('abort', () => this.#tail.stop());
  }

  /** For the head of the page. */
  get elements() {
    return this.#button.elements;
  }

  /** Begins anew, before the list is loaded, so that nothing is missed between the two. @param {string | null} path null: nothing new can come */
  start(path) {
    this.#isLoaded = false;
    this.#isStale = false;
    this.#hasPaged = false;
    this.#forget();
    if (path === null) this.#tail.stop();
    else this.#tail.start(path);
  }

  /** The list is loaded. */
  setLoaded() {
    this.#isLoaded = true;
    this.#settle();
  }

  /** Older pages were asked for: they are kept. */
  setPaged() {
    this.#hasPaged = true;
  }

  /** After a lost connection: what ended meanwhile is only in the log. */
  fillGap() {
    this.#isStale = true;
    this.#settle();
  }

  /** @param {LoggedRequest[]} requests the newest first */
  #receive(requests) {
    this.#waiting = [...requests, ...this.#waiting];
    this.#count += requests.length;
    if (this.#waiting.length > MOST_LIVE) {
      this.#waiting = [];
      this.#isStale = true;
    }
    this.#settle();
  }

  #settle() {
    if (this.#isLoaded && !this.pause.isPaused()) this.#take();
    this.#show();
  }

  /** Shows what waits. */
  #take() {
    if (this.#isStale) {
      this.#options.reload();
      return;
    }
    const { list, onChange } = this.#options;
    const requests = this.#waiting.filter(({ id }) => !list.has(id));
    this.#forget();
    if (requests.length === 0) return;
    if (requests.length > MOST_AT_ONCE) {
      // What lies between is found in the log, as older ones.
      list.reset(requests.slice(0, MOST_AT_ONCE));
      this.#hasPaged = false;
      onChange(list.last?.id ?? null);
      return;
    }
    list.prepend(requests);
    const isCut = list.trim(this.#hasPaged ? MOST_LOADED : MOST_LIVE);
    onChange(isCut ? (list.last?.id ?? null) : null);
  }

  #forget() {
    this.#waiting = [];
    this.#count = 0;
  }

  #press() {
    const { pause } = this;
    if (pause.has('button')) pause.set('button', false);
    else if (!pause.isPaused()) pause.set('button', true);
    else {
      scrollTo({ top: 0 });
      this.#take();
      this.#show();
    }
  }

  #show() {
    this.#button.show({ state: this.#state, isPaused: this.pause.isPaused(), waiting: this.#count });
  }
}
