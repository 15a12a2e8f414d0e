/** Shapes of what the chat keeps, for the type checker only. Times are milliseconds since the epoch. Nothing imports this file at run time. */

/**
 * @typedef {{ blobId?: string | null, dataUrl?: string, name: string, type: string, size: number }} Attachment
 *   blobId: of a file in the store; null when the file was not kept. dataUrl: the file itself, in messages that are not stored yet. type: what its
 *   sender said; the stored file has a type that runs nothing
 */
/** @typedef {{ promptTokens: number | null, completionTokens: number | null, cachedTokens: number | null }} Usage */
/** @typedef {{ url: string, title: string }} Source */
/** @typedef {{ id: string, name: string, arguments: string }} ToolCall */
/**
 * @typedef {{
 *   id: string, chatId: string, parentId: string | null, role: 'system' | 'user' | 'assistant', text: string,
 *   reasoning: string, attachments: Attachment[], model: string | null, usage: Usage | null, costUsd: number | null,
 *   firstTokenMs: number | null, durationMs: number | null, createdAt: number, state: 'done' | 'stopped' | 'failed',
 *   error: { message: string, detail: string } | null, reasoningMs?: number | null, sources?: Source[],
 *   toolCalls?: ToolCall[], note?: string, isPlain?: boolean,
 * }} Message
 *   parentId: the message before; messages with the same parent are branches. error: in the server's words, with code, status
 *   and request id in `detail`. isPlain: the text is no Markdown
 */
/**
 * @typedef {{
 *   id: string, title: string, createdAt: number, updatedAt: number, pinned: boolean, modelId: string | null,
 *   system: string, temperature: number | null, maxTokens: number | null, leafId: string | null,
 * }} Chat leafId: the last message of the branch that is shown
 */
/** @typedef {{ id: string, name: string, system: string, modelId: string | null, temperature: number | null }} Preset */
/** @typedef {Chat & { rank: number, deletedAt?: number }} ChatRecord a chat as it is stored; rank: 1 pinned, 0 not, -1 deleted */
/**
 * @typedef {{ type: 'chat', chatId: string } | { type: 'chats' } | { type: 'presets' } | { type: 'outdated' }
 *   | { type: 'who' | 'mine', messageId: string }} Change
 *   chat: this one or its messages; chats: many or all of them; outdated: another tab has a newer version of the page; who and
 *   mine: a tab asks which one is answering, and that one says so
 */

/** @typedef {{ messageId: string, word: string }} Sought where a search has found something; word: in small letters */
/** @typedef {'chats' | 'messages' | 'blobs' | 'presets' | 'drafts' | 'totals' | 'forgetful'} StoreName */
/** @typedef {string | number | (string | number)[]} Key */
/**
 * One transaction. Only its own promises may be awaited in it.
 * @typedef {{
 *   get(store: StoreName, id: string): Promise<any>,
 *   has(store: StoreName, id: string): Promise<boolean>,
 *   put(store: StoreName, record: { id: string, [field: string]: unknown }): Promise<void>,
 *   remove(store: StoreName, id: string): Promise<void>,
 *   clear(store: StoreName): Promise<void>,
 *   count(store: StoreName): Promise<number>,
 *   all(store: StoreName): Promise<any[]>,
 *   withChat(store: 'messages' | 'blobs', chatId: string): Promise<any[]>,
 *   idsWithChat(store: 'messages' | 'blobs', chatId: string): Promise<string[]>,
 *   newest(range: { from: Key, before: Key | null, limit: number }): Promise<ChatRecord[]>,
 * }} Transaction newest: chats in falling order of [rank, updatedAt, id], from `from` on and below `before`
 */
/**
 * @typedef {{
 *   run<T>(mode: 'readonly' | 'readwrite', stores: readonly StoreName[], work: (transaction: Transaction) => Promise<T>): Promise<T>,
 *   close(): void,
 * }} Driver run: all of the work happens, or nothing of it
 */

export {};
