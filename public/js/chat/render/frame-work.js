/** Work that is done once per frame, however often it is asked for. */

/** @param {() => void} work */
export function createFrameWork(work) {
  let frame = 0;
  return {
    /** Does the work in the next frame. */
    request() {
      if (frame !== 0) return;
      frame = requestAnimationFrame(() => {
        frame = 0;
        work();
      });
    },
    /** The work is not wanted any more, or done otherwise. */
    cancel() {
      cancelAnimationFrame(frame);
      frame = 0;
    },
  };
}
