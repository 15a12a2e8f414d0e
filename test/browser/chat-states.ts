import type { TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { SAMPLE_ANSWER } from './answer-samples.ts';
import { chooseFiles, preview } from './chat-attach.ts';
import { addDemoProvider, PNG, pngOfText, wavOfText } from './chat-samples.ts';
import {
  answers,
  ask,
  type ChatUnderTest,
  chooseModel,
  converse,
  idle,
  messageField,
  modelButton,
  modelReady,
  newChat,
  openChat,
  openSettings,
  questions,
  settingsButton,
  startChat,
  useKey,
} from './chat-setup.ts';
import { visit } from './start-browser.ts';

/** Looks at a state of the page. `open`: what is to be looked at closes when the window changes, and is opened by this. */
export type LookAt = (page: Page, name: string, open?: () => Promise<void>) => Promise<void>;

const WIDE = { width: 1280, height: 800 };
const TITLES = [
  'Trip to Lisbon',
  'Why is the sky blue and the sunset red?',
  'SQL for weekly users',
  '漢字の読み方',
];

/** Of people without an account: the key, what is wrong with it, and what its test says. */
export async function walkKeyStates(t: TestContext, look: LookAt): Promise<void> {
  const { app } = await startChat(t);
  const { page } = await visit(t, app.origin, '/chat.html');
  await page.getByRole('heading', { name: 'Chat with an API key' }).waitFor();
  await look(page, 'the key');
  await ask(page, 'Hello');
  await page.getByText('Enter an API key first.', { exact: true }).waitFor();
  await look(page, 'the missing key');
  await useKey(page, 'sk-nobody-has-this-key-0123456789');
  await page.getByText('invalid_api_key · HTTP 401').waitFor();
  await look(page, 'a refused key');
}

/** Of people whose browser keeps nothing. */
export async function walkMemoryStates(t: TestContext, look: LookAt): Promise<void> {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await page.addInitScript("Object.defineProperty(window, 'indexedDB', { value: undefined })");
  await page.reload();
  await modelReady(page);
  await page.locator('.history-place').waitFor({ state: 'attached' });
  await look(page, 'chats that are not kept');
  await converse(page, chat, 'Do you remember me?', 'Until you close the page.');
  await look(page, 'a chat that is not kept');
}

/** Of a conversation: how an answer arrives, ends and fails, and what opens around it. */
export async function walkTalkStates(t: TestContext, look: LookAt): Promise<void> {
  const chat = await startChat(t);
  const { page, open } = await openChat(t, chat.app, 'Chat tab');
  await look(page, 'an empty chat');
  await chooseModel(page, 'seeing-model');
  await chooseFiles(page, [PNG]);
  await preview(page, 'dot.png').waitFor();
  await page.getByLabel('File', { exact: true }).setInputFiles({
    name: 'notes about everything that happened in the last year.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('word '.repeat(5000)),
  });
  await page
    .getByText('≈ 6.3K tokens')
    .waitFor()
    .catch(() => {});
  await look(page, 'a message with files');
  await chooseModel(page, 'blind-model');
  await page.locator('.composer-hint').filter({ hasText: /./ }).waitFor();
  await look(page, 'a picture for a model that does not see');
  await chooseModel(page, 'seeing-model');
  await ask(page, 'What is in this picture, and what do the notes say?');
  const call = await chat.nextCall();
  await answers(page).locator('.waiting').waitFor();
  await look(page, 'waiting for an answer');
  call.say('<think>First I look at the picture.\n\nThen at the notes.');
  await answers(page).locator('details > summary').click();
  await answers(page).getByText('Then at').waitFor();
  await look(page, 'thoughts that arrive');
  call.say(`</think>${SAMPLE_ANSWER.slice(0, 900)}`);
  await answers(page).locator('pre').first().waitFor();
  await look(page, 'an answer that arrives');
  call.say(SAMPLE_ANSWER.slice(900));
  call.finish({ prompt_tokens: 1234, completion_tokens: 567 });
  await idle(page);
  await look(page, 'an answer with everything');
  await page.getByRole('log').evaluate((log) => log.scrollTo(0, 0));
  await page.getByRole('button', { name: 'Scroll to the end' }).waitFor();
  await look(page, 'the beginning of a long chat');
  await walkEndings(page, chat, look);
  await walkPopups(page, look);
  await ask(page, 'One more?');
  const running = await chat.nextCall();
  running.say('It begins here');
  await answers(page).getByText('It begins here').waitFor();
  const second = await open(`/chat.html${new URL(page.url()).hash}`);
  await answers(second).getByText('Being answered in another tab').waitFor();
  await look(second, 'an answer in another tab');
  await second.close();
  running.finish();
}

async function walkEndings(page: Page, chat: ChatUnderTest, look: LookAt): Promise<void> {
  await ask(page, 'Tell me more');
  const stopped = await chat.nextCall();
  stopped.say('There was');
  await answers(page).getByText('There was').waitFor();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await answers(page).getByText('Stopped.').waitFor();
  await look(page, 'a stopped answer');
  await ask(page, 'Once more');
  const broken = await chat.nextCall();
  broken.say('Half an answer');
  await answers(page).getByText('Half an answer').waitFor();
  broken.cut();
  await answers(page).locator('.note.bad').waitFor();
  await idle(page);
  await look(page, 'an answer that broke off');
  await page.getByRole('button', { name: 'Retry' }).click();
  (await chat.nextCall()).reply(
    429,
    { error: { message: 'Slow down.', type: 'rate_limit_error', param: null, code: 'rate_limited' } },
    { 'retry-after': '27' },
  );
  await answers(page).getByText('Try again in 27 s').waitFor();
  await idle(page);
  await look(page, 'too many requests');
  chat.app.services.health.wakeProvider('scripted');
  await page.getByRole('button', { name: 'Retry' }).click();
  (await chat.nextCall()).reply(200, {
    choices: [
      {
        index: 0,
        finish_reason: 'tool_calls',
        message: {
          content: 'I look it up.',
          tool_calls: [
            {
              id: 'c1',
              type: 'function',
              function: { name: 'find_weather', arguments: '{"city":"Lisbon","days":3}' },
            },
          ],
          annotations: [
            {
              type: 'url_citation',
              url_citation: { url: 'https://example.com/a', title: 'The weather in Lisbon' },
            },
            { type: 'url_citation', url_citation: { url: 'https://example.org/', title: '' } },
          ],
        },
      },
    ],
    usage: { prompt_tokens: 40, completion_tokens: 9 },
  });
  await answers(page).locator('.tool-call').waitFor();
  await idle(page);
  await look(page, 'tool calls, sources and versions');
  await questions(page).last().getByRole('button', { name: 'Edit message' }).click();
  await look(page, 'a message that is edited');
  await page.keyboard.press('Escape');
}

async function walkPopups(page: Page, look: LookAt): Promise<void> {
  await page.setViewportSize(WIDE);
  await openSettings(page);
  await look(page, 'the settings');
  await page.setViewportSize(WIDE);
  await page.getByRole('button', { name: 'Save as a preset' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Short answers');
  await look(page, 'the name of a preset');
  await page.setViewportSize(WIDE);
  await page.getByRole('button', { name: 'Save preset' }).click();
  await page.getByRole('list', { name: 'Presets' }).waitFor();
  await look(page, 'a preset');
  await page.setViewportSize(WIDE);
  await settingsButton(page).click();
  await messageField(page).fill('/sh');
  await page.getByRole('option', { name: /Short/ }).waitFor();
  await look(page, 'the presets in the message');
  await messageField(page).fill('');
  await look(page, 'the models', async () => {
    await modelButton(page).click();
    await page.getByRole('option').first().waitFor();
  });
  await look(page, 'no such model', async () => {
    await modelButton(page).click();
    await page.getByRole('option').first().waitFor();
    await page.keyboard.type('nothing');
    await page.getByText('No model fits').waitFor();
  });
  await look(page, 'the menu', () => page.getByRole('button', { name: 'More', exact: true }).click());
  await look(page, 'the shortcuts', () => page.keyboard.press('Control+/'));
}

/** Of the list of chats. */
export async function walkListStates(t: TestContext, look: LookAt): Promise<void> {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  const list = page.getByRole('navigation', { name: 'Chats' });
  const search = page.getByLabel('Search chats');
  const openMenu = async (): Promise<void> => {
    await openList(page);
    const first = list.getByRole('listitem').first();
    await first.hover();
    await first.getByRole('button', { name: /^More for/ }).click();
  };
  const find = async (words: string): Promise<void> => {
    await openList(page);
    await search.fill(words);
  };
  await look(page, 'no chats yet', () => openList(page));
  await page.setViewportSize(WIDE);
  for (const title of TITLES) {
    await converse(page, chat, title, `About ${title}: ${'many words '.repeat(30)}`);
    await newChat(page);
  }
  await look(page, 'chats', () => openList(page));
  await look(page, 'the menu of a chat', openMenu);
  await look(page, 'a chat that is renamed', async () => {
    await openMenu();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByLabel('Name of the chat').waitFor();
  });
  await look(page, 'chats that were found', async () => {
    await find('many words');
    await list.getByText('many words').first().waitFor();
  });
  await look(page, 'no chat found', async () => {
    await find('nothing of this');
    await list
      .getByText(/^No chat/)
      .first()
      .waitFor();
  });
  await look(page, 'the menu of all chats', async () => {
    await find('');
    await page.getByRole('button', { name: 'More for all chats' }).click();
  });
  await page.setViewportSize(WIDE);
  await openMenu();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Undo' }).waitFor();
  await look(page, 'a deleted chat');
}

/** Of a comparison. */
export async function walkCompareStates(t: TestContext, look: LookAt): Promise<void> {
  const chat = await startChat(t);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.getByRole('heading', { name: 'Compare models' }).waitFor();
  await look(page, 'an empty comparison');
  await ask(page, 'Which is better, and why?');
  const calls = [await chat.nextCall(), await chat.nextCall()];
  for (const call of calls) call.say(`Both have their merits, says ${call.body.model}.\n\n- one\n- two`);
  await page.locator('.contender li').nth(3).waitFor();
  await look(page, 'a comparison that runs');
  calls[0]?.finish({ prompt_tokens: 9, completion_tokens: 30 });
  calls[1]?.cut();
  await idle(page);
  await look(page, 'a comparison that ended');
}

/** Of models that read, hear, speak and draw. */
export async function walkMediaStates(t: TestContext, look: LookAt): Promise<void> {
  const chat = await startChat(t);
  await addDemoProvider(t, chat.app, ['demo-tts', 'demo-image', 'demo-embed']);
  const { page } = await openChat(t, chat.app, 'Chat tab');
  await chooseModel(page, 'demo-tts');
  await look(page, 'a model that speaks');
  await ask(page, 'Good morning');
  await answers(page).locator('audio').waitFor();
  await idle(page);
  await look(page, 'a spoken answer');
  await chooseModel(page, 'demo-image');
  await ask(page, 'A red house');
  await answers(page).nth(1).getByRole('img').waitFor();
  await idle(page);
  await look(page, 'a drawn answer');
  await chooseModel(page, 'demo-whisper');
  await openSettings(page);
  await look(page, 'the settings of a model that hears');
  await page.setViewportSize(WIDE);
  await settingsButton(page).click();
  await page.getByLabel('Audio file').setInputFiles(wavOfText('meeting.wav', 'We meet on Monday.'));
  await page.getByRole('button', { name: 'Remove meeting.wav' }).waitFor();
  await look(page, 'a recording to be heard');
  await messageField(page).press('Enter');
  await answers(page).getByText('We meet on Monday.').waitFor();
  await idle(page);
  await look(page, 'a transcript');
  await chooseModel(page, 'demo-ocr');
  await chooseFiles(page, [pngOfText('letter.png', 'Dear reader')]);
  await preview(page, 'letter.png').waitFor();
  await messageField(page).press('Enter');
  await answers(page).getByText('Dear reader').waitFor();
  await idle(page);
  await look(page, 'a text that was read');
  await chooseModel(page, 'demo-embed');
  await ask(page, 'Numbers?');
  await page.getByText('This model makes no answers to read').waitFor();
  await look(page, 'a model for programs');
}

/** Opens the chats, where they are behind a button. */
async function openList(page: Page): Promise<void> {
  const button = page.locator('.talk-head').getByRole('button', { name: 'Chats', exact: true });
  const isOpen = await page.getByLabel('Search chats').isVisible();
  if (!isOpen) await button.click();
  await page.getByLabel('Search chats').waitFor();
}
