/** The modules of the chat's history that need no browser, with the types that the tests use. */

export interface Attachment {
  name: string;
  type: string;
  size: number;
  blobId?: string | null;
  dataUrl?: string;
}
export interface Message {
  id: string;
  chatId: string;
  parentId: string | null;
  role: string;
  text: string;
  reasoning: string;
  attachments: Attachment[];
  model: string | null;
  usage: unknown;
  costUsd: number | null;
  firstTokenMs: number | null;
  durationMs: number | null;
  createdAt: number;
  state: string;
  error: unknown;
}
export interface Chat {
  id: string;
  title: string;
  createdAt: number;
  updatedAt: number;
  pinned: boolean;
  modelId: string | null;
  system: string;
  temperature: number | null;
  maxTokens: number | null;
  leafId: string | null;
}
export interface Checked {
  chats: { chat: Chat; messages: Message[] }[];
  presets: { id: string; name: string }[];
  skipped: number;
}
export interface Report {
  chats: number;
  messages: number;
  presets: number;
  skipped: number;
  filesLeftOut: number;
}
export interface History {
  isKept: boolean;
  whyNotKept: string | null;
  createChat(fields: Partial<Chat>): Promise<Chat>;
  updateChat(id: string, fields: Partial<Chat>): Promise<Chat>;
  listChats(options?: { after?: Chat | null; limit?: number }): Promise<Chat[]>;
  loadMessages(chatId: string): Promise<Message[]>;
  saveMessage(message: Message, options?: { isLeaf?: boolean }): Promise<Message>;
  search(
    query: string,
    options?: { signal?: AbortSignal },
  ): Promise<{ chat: Chat; snippet: string | null }[]>;
  importFile(file: Blob): Promise<Report>;
  exportAll(): Promise<{ name: string; blob: Blob }>;
  close(): void;
}

/** The address of the page, by which the chats of several servers on one host are told apart. */
Object.assign(globalThis, { location: new URL('http://127.0.0.1/chat.html') });
const folder = new URL('../../../public/js/chat/history/', import.meta.url);

async function load(name: string): Promise<Record<string, unknown>> {
  return await import(new URL(name, folder).href);
}

const days = await load('days.js');
const markdown = await load('markdown-file.js');
const check = await load('import-check.js');
const tree = await load('tree.js');
const order = await load('list-order.js');
const history = await load('open-history.js');
const search = await load('search.js');

export const groupByDay = days['groupByDay'] as (
  chats: readonly Chat[],
  nowMs: number,
) => { label: string; chats: Chat[] }[];
export const toMarkdown = markdown['toMarkdown'] as (chat: Chat, branch: readonly Message[]) => string;
export const fileNameFor = markdown['fileNameFor'] as (title: string, extension: string) => string;
export const checkImport = check['checkImport'] as (value: unknown, nowMs: number) => Checked;
export const branchTo = tree['branchTo'] as (
  messages: readonly Message[],
  leafId: string | null,
) => Message[];
export const versionsOf = tree['versionsOf'] as (messages: readonly Message[], message: Message) => Message[];
export const newestLeaf = tree['newestLeaf'] as (messages: readonly Message[], id: string) => string;
export const placeChat = order['placeChat'] as (
  chats: readonly Chat[],
  chat: Chat,
  isComplete: boolean,
) => Chat[];
export const openHistory = history['openHistory'] as (options: {
  account: string;
  now?: () => number;
}) => Promise<History>;
export const snippetOf = search['snippetOf'] as (text: string, word: string) => string;

export function chatOf(fields: Partial<Chat> = {}): Chat {
  return {
    id: 'c',
    title: 'A chat',
    createdAt: 0,
    updatedAt: 0,
    pinned: false,
    modelId: null,
    system: '',
    temperature: null,
    maxTokens: null,
    leafId: null,
    ...fields,
  };
}

export function messageOf(fields: Partial<Message> = {}): Message {
  return {
    id: 'm',
    chatId: 'c',
    parentId: null,
    role: 'user',
    text: '',
    reasoning: '',
    attachments: [],
    model: null,
    usage: null,
    costUsd: null,
    firstTokenMs: null,
    durationMs: null,
    createdAt: 0,
    state: 'done',
    error: null,
    ...fields,
  };
}
