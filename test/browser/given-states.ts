import type { Page, Route } from 'playwright-core';

type Fields = Record<string, unknown>;

/** What a page is told of the health of providers and keys, by the provider's id. Keys are matched by their place. */
export interface GivenState {
  readonly health?: Fields;
  readonly keys?: readonly Fields[];
}

export interface GivenStates {
  /** Replaces what the page is told from now on. */
  set(states: Readonly<Record<string, GivenState>>): void;
}

const PROVIDERS = '/api/admin/providers';

/**
 * Lets the server's answers about providers tell of other states than the real ones: those of bad times and of days. All else
 * in the answers is the server's.
 */
export async function giveStates(
  page: Page,
  states: Readonly<Record<string, GivenState>>,
): Promise<GivenStates> {
  let given = states;
  const change = (provider: Fields): Fields => {
    const state = given[String(provider['id'])];
    if (state === undefined) return provider;
    const keys = provider['apiKeys'] as Fields[];
    return {
      ...provider,
      health: { ...(provider['health'] as Fields), ...state.health },
      apiKeys: keys.map((key, index) => ({ ...key, ...state.keys?.[index] })),
    };
  };
  const answer = async (route: Route): Promise<void> => {
    if (route.request().method() !== 'GET') return route.fallback();
    const response = await route.fetch().catch(() => null);
    // The server is gone at the end of a test.
    if (response === null) return route.abort();
    const body = (await response.json()) as { data?: Fields[] } & Fields;
    const json = body.data === undefined ? change(body) : { data: body.data.map(change) };
    await route.fulfill({ response, json });
  };
  await page.route(({ pathname }) => isAboutProviders(pathname), answer);
  return {
    set(next) {
      given = next;
    },
  };
}

/** The list, or one provider. */
function isAboutProviders(pathname: string): boolean {
  return pathname === PROVIDERS || /^\/api\/admin\/providers\/[^/]+$/.test(pathname);
}

/** The time so many seconds from now, or ago where negative, as the API writes it. */
export function fromNow(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}
