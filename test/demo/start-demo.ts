import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { createDemoProvider } from '../../src/demo/provider.ts';

export const DEMO_KEY = 'demo-key-for-tests';
export const DEMO_TIME_MS = Date.UTC(2026, 0, 31, 12);

export interface RunningDemo {
  readonly origin: string;
  readonly server: Server;
  readonly openai: OpenAI;
  /** Posts a JSON body with the right key. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  stop(): Promise<void>;
}

/** Starts a demo provider on a free loopback port, with a fixed clock. */
export async function startDemo(tokenDelayMs = 0): Promise<RunningDemo> {
  const server = createDemoProvider({ apiKey: DEMO_KEY, tokenDelayMs, now: () => DEMO_TIME_MS });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    server,
    openai: new OpenAI({ apiKey: DEMO_KEY, baseURL: `${origin}/v1`, maxRetries: 0 }),
    post: (path, body, headers = {}) =>
      fetch(`${origin}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${DEMO_KEY}`, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
