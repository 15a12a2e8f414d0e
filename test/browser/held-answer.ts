import type { Page, Route } from 'playwright-core';
import { createGate, type Gate } from '../helpers/gate.ts';

/** An answer of the server that is on its way for as long as a test wants. */
export interface HeldAnswer {
  /** Resolves once the server has answered. */
  readonly held: Promise<void>;
  /** Lets the page have it. */
  release(): Promise<void>;
}

/** Holds the answer to the next request of a page with this method and path. */
export async function holdAnswer(page: Page, method: string, path: string): Promise<HeldAnswer> {
  const answered = createGate();
  const released = createGate();
  const given = createGate();
  let isTaken = false;
  const hold = async (route: Route): Promise<void> => {
    if (isTaken || route.request().method() !== method) return route.fallback();
    isTaken = true;
    const response = await route.fetch();
    answered.open();
    await released.opened;
    const finished = page.waitForEvent('requestfinished', (request) => request === route.request());
    await route.fulfill({ response });
    await finished;
    given.open();
  };
  await page.route((url) => url.pathname === path, hold);
  const asked = page.waitForRequest(
    (request) => request.method() === method && new URL(request.url()).pathname === path,
  );
  return {
    held: asked.then(() => answered.opened),
    async release() {
      released.open();
      await given.opened;
    },
  };
}

/** Holds all requests of a page for this address until the gate is open; then the server answers them, or this answer comes. */
export async function holdRequests(
  page: Page,
  address: string,
  answer?: { status: number; body: string },
): Promise<Gate> {
  const gate = createGate();
  await page.route(address, async (route) => {
    await gate.opened;
    await (answer ? route.fulfill(answer) : route.continue());
  });
  return gate;
}
