import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { type FakeUpstream, type ReceivedRequest, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { type OpenOptions, type Visitor, visit, visitPanel } from './start-browser.ts';

/** A request that reached the provider; the test says what it answers, and when. */
export interface UpstreamCall {
  readonly request: ReceivedRequest;
  /** The body, parsed. */
  readonly body: ChatBody;
  /** Streams a piece of the answer. */
  say(text: string): void;
  /** Ends the stream as a provider does, with its count of tokens. */
  finish(usage?: { prompt_tokens: number; completion_tokens: number }): void;
  /** Answers with JSON instead of a stream. */
  reply(status: number, value: unknown, headers?: Record<string, string>): void;
  /** Ends the stream with an error in it. */
  fail(message: string): void;
  /** Cuts the connection. */
  cut(): void;
  /** Resolves when the proxy has closed the connection, or the answer is over. */
  readonly closed: Promise<void>;
}

export interface ChatBody {
  readonly model?: string;
  readonly stream?: boolean;
  readonly temperature?: number;
  readonly max_tokens?: number;
  readonly messages: readonly ChatMessage[];
}

export interface ChatMessage {
  readonly role: string;
  readonly content: string | readonly { type: string; text?: string; image_url?: { url: string } }[];
}

export interface ChatUnderTest {
  readonly app: AppUnderTest;
  readonly upstream: FakeUpstream;
  /** The next call that nobody has taken yet. */
  nextCall(): Promise<UpstreamCall>;
}

/** One model that sees and one that does not, at a provider whose answers the test writes. */
export async function startChat(t: TestContext): Promise<ChatUnderTest> {
  const calls: UpstreamCall[] = [];
  const waiting: ((call: UpstreamCall) => void)[] = [];
  const upstream = await startUpstream(t, (_req, res, request) => {
    const call = toCall(res, request);
    const taker = waiting.shift();
    if (taker) taker(call);
    else calls.push(call);
  });
  const app = await startApp(t);
  await app.addProvider({ id: 'scripted', name: 'Scripted', baseUrl: `${upstream.origin}/v1` }, [
    { id: 'blind-model', name: 'Blind Model' },
    { id: 'seeing-model', name: 'Seeing Model', vision: true },
  ]);
  const nextCall = async (): Promise<UpstreamCall> =>
    calls.shift() ?? new Promise((resolve) => void waiting.push(resolve));
  return { app, upstream, nextCall };
}

function toCall(res: ServerResponse, request: ReceivedRequest): UpstreamCall {
  const closed = new Promise<void>((resolve) => res.on('close', resolve));
  const event = (value: unknown): void => void res.write(`data: ${JSON.stringify(value)}\n\n`);
  const chunk = (delta: object, more: object = {}): void => {
    if (!res.headersSent) res.writeHead(200, { 'content-type': 'text/event-stream' });
    event({ id: 'chatcmpl-1', object: 'chat.completion.chunk', choices: [{ index: 0, delta, ...more }] });
  };
  return {
    request,
    body: JSON.parse(request.body.toString() || '{}') as ChatBody,
    closed,
    say: (text) => chunk({ content: text }),
    finish(usage) {
      chunk({}, { finish_reason: 'stop' });
      if (usage) event({ id: 'chatcmpl-1', object: 'chat.completion.chunk', choices: [], usage });
      res.end('data: [DONE]\n\n');
    },
    reply(status, value, headers = {}) {
      res.writeHead(status, { 'content-type': 'application/json', ...headers });
      res.end(JSON.stringify(value));
    },
    fail(message) {
      chunk({});
      event({ error: { message, type: 'server_error', param: null, code: message } });
      res.end();
    },
    cut: () => void res.destroy(),
  };
}

/** Where the chat is found: a page for everybody with a key, a tab for the admin, who is signed in. */
export type Place = 'chat page' | 'Chat tab';

export const PLACES: readonly Place[] = ['chat page', 'Chat tab'];

/** Opens the chat, ready to be asked. */
export async function openChat(
  t: TestContext,
  app: AppUnderTest,
  place: Place,
  options: OpenOptions = {},
): Promise<Visitor> {
  if (place === 'Chat tab') {
    const visitor = await visitPanel(t, app.origin, 'Chat', options);
    await modelReady(visitor.page);
    return visitor;
  }
  const visitor = await visit(t, app.origin, '/chat.html', options);
  await useKey(visitor.page, MASTER_KEY);
  await visitor.page.getByText('Connection works').waitFor();
  return visitor;
}

/** Until a model is chosen. */
export async function modelReady(page: Page): Promise<void> {
  await modelButton(page)
    .filter({ hasNotText: /Loading|Enter an API key|No model|failed|refused/ })
    .waitFor();
}

/** Types a key and tests it. */
export async function useKey(page: Page, key: string): Promise<void> {
  await keyField(page).fill(key);
  await page.getByRole('button', { name: 'Test Connection' }).click();
}

export function keyField(page: Page): Locator {
  return page.getByRole('textbox', { name: /^API key/ });
}

/** The button that shows the chosen model, and opens the list of models. */
export function modelButton(page: Page): Locator {
  return page.getByRole('button', { name: /^Model: / });
}

/** The models of the list, which is opened and closed again: their texts, groups left out. */
export async function listModels(page: Page): Promise<string[]> {
  await modelButton(page).click();
  const options = page.getByRole('option');
  await options.first().waitFor();
  const texts = await options.allInnerTexts();
  await page.keyboard.press('Escape');
  return texts.map((text) => text.replace(/\s+/g, ' ').trim());
}

/** Chooses a model by a part of its name or id. */
export async function chooseModel(page: Page, name: string): Promise<void> {
  await modelButton(page).click();
  await page.getByRole('option').filter({ hasText: name }).click();
  await page.getByRole('option').first().waitFor({ state: 'detached' });
}

/** The text to be sent, whatever the model makes of it. */
export function messageField(page: Page): Locator {
  return page.locator('#chat-message');
}

/** Writes a message and sends it by Enter. */
export async function ask(page: Page, text: string): Promise<void> {
  await messageField(page).fill(text);
  await messageField(page).press('Enter');
}

export async function newChat(page: Page): Promise<void> {
  await page.keyboard.press('ControlOrMeta+Shift+O');
  await page.getByRole('heading', { name: 'Start a conversation' }).waitFor();
}

/** Opens the settings, if they are not open. */
export async function openSettings(page: Page): Promise<void> {
  const button = settingsButton(page);
  if ((await button.getAttribute('aria-expanded')) !== 'true') await button.click();
}

export function settingsButton(page: Page): Locator {
  return page.locator('.talk-head').getByRole('button', { name: 'Settings', exact: true });
}

/** The answers in the conversation, oldest first. */
export function answers(page: Page): Locator {
  return page.getByRole('article', { name: /^Answer of / });
}

/** The person's messages in the conversation, oldest first. */
export function questions(page: Page): Locator {
  return page.getByRole('article', { name: 'You' });
}

/** Until no answer is coming. */
export async function idle(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
}

/** Until the chats that the page has begun to store are stored: to read them waits for that. */
export async function stored(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (const { name = '' } of await indexedDB.databases()) {
      const opening = indexedDB.open(name);
      await new Promise((resolve) => opening.addEventListener('success', resolve));
      const reading = opening.result.transaction('chats').objectStore('chats').count();
      await new Promise((resolve) => reading.addEventListener('success', resolve));
      opening.result.close();
    }
  });
}

/** One question and its answer, to the end. */
export async function converse(
  page: Page,
  { nextCall }: ChatUnderTest,
  question: string,
  answer: string,
): Promise<ChatBody> {
  await ask(page, question);
  const call = await nextCall();
  call.say(answer);
  call.finish({ prompt_tokens: 7, completion_tokens: 5 });
  await idle(page);
  return call.body;
}

/** What a body says, a line for each message. */
export function linesOf({ messages }: ChatBody): string[] {
  return messages.map(
    ({ role, content }) => `${role}: ${typeof content === 'string' ? content : JSON.stringify(content)}`,
  );
}

/** The text of an element, hidden parts included. */
export async function textOf(locator: Locator): Promise<string> {
  return (await locator.textContent()) ?? '';
}
