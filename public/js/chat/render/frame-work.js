/** Work that is done once per frame at most, however often it is asked for. */

/**
 * Words that come every few milliseconds are shown 30 times a second, which reads as well as 60 times and leaves the browser
 * time to collect garbage between two frames.
 */
const PAUSE_MS = 25;

/** @param {() => void} work */
export function createFrameWork(work) {
  let frame = 0;
  let fromMs = 0;

  /** @param {number} nowMs */
  function onFrame(nowMs) {
    if (nowMs < fromMs) {
      frame = requestAnimationFrame(onFrame);
      return;
    }
    frame = 0;
    fromMs = nowMs + PAUSE_MS;
    work();
  }

  function request() {
    if (frame === 0) frame = requestAnimationFrame(onFrame);
  }

  return {
    /** Does the work soon, with a pause after the last time. */
    request,
    /** Does the work in the next frame. */
    requestNext() {
      fromMs = 0;
      request();
    },
    /** The work is not wanted any more, or done otherwise. */
    cancel() {
      cancelAnimationFrame(frame);
      frame = 0;
    },
  };
}
