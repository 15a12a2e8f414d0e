import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

interface FrameWork {
  request(): void;
  requestNext(): void;
  cancel(): void;
}

const FRAME_MS = 16;
const module: Record<string, unknown> = await import(
  new URL('../../public/js/chat/render/frame-work.js', import.meta.url).href
);
const createFrameWork = module['createFrameWork'] as (work: () => void) => FrameWork;

describe('work once per frame', () => {
  const frames = new Map<number, (nowMs: number) => void>();
  let nowMs = 1_000;
  let handles = 0;

  /** What the browser does before it paints. */
  function paint(): void {
    nowMs += FRAME_MS;
    const due = [...frames.values()];
    frames.clear();
    for (const call of due) call(nowMs);
  }

  beforeEach(() => {
    Reflect.set(globalThis, 'requestAnimationFrame', (call: (nowMs: number) => void) => {
      handles += 1;
      frames.set(handles, call);
      return handles;
    });
    Reflect.set(globalThis, 'cancelAnimationFrame', (handle: number) => frames.delete(handle));
  });
  afterEach(() => {
    frames.clear();
    Reflect.deleteProperty(globalThis, 'requestAnimationFrame');
    Reflect.deleteProperty(globalThis, 'cancelAnimationFrame');
  });

  test('begins with the next frame, and is then done in every second one', () => {
    const times: number[] = [];
    const { request } = createFrameWork(() => times.push(nowMs));
    const startMs = nowMs;
    for (let frame = 0; frame < 6; frame += 1) {
      for (let word = 0; word < 5; word += 1) request();
      paint();
    }
    assert.deepEqual(
      times.map((ms) => (ms - startMs) / FRAME_MS),
      [1, 3, 5],
    );
  });

  test('the last request is not lost, and asks for no more frames', () => {
    let done = 0;
    const { request } = createFrameWork(() => {
      done += 1;
    });
    for (let time = 0; time < 2; time += 1) {
      request();
      paint();
    }
    paint();
    assert.deepEqual([done, frames.size], [2, 0]);
  });

  test('a rest that is long is done in each frame', () => {
    let left = 4;
    const work = createFrameWork(() => {
      left -= 1;
      if (left > 0) work.requestNext();
    });
    work.request();
    for (let frame = 0; frame < 4; frame += 1) paint();
    assert.deepEqual([left, frames.size], [0, 0]);
  });

  test('what is cancelled is not done', () => {
    let done = 0;
    const work = createFrameWork(() => {
      done += 1;
    });
    work.request();
    work.cancel();
    paint();
    assert.equal(done, 0);
    work.request();
    paint();
    assert.equal(done, 1);
  });
});
