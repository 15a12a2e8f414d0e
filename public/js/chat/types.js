/** Shapes of the chat, for the type checker only. Nothing imports this file at run time. */

/**
 * @typedef {{ blobId?: string | null, name: string, type: string, size: number }} Attachment
 *   a file of a message; blobId: null if the history did not keep it
 */
/** @typedef {{ promptTokens: number | null, completionTokens: number | null, cachedTokens: number | null }} Usage */
/** @typedef {{ url: string, title: string }} Source */
/** @typedef {{ id: string, name: string, arguments: string }} ToolCall */
/** @typedef {{ message: string, detail: string }} MessageError detail: code, status and request id */
/**
 * @typedef {{
 *   id: string, chatId: string, parentId: string | null, role: 'user' | 'assistant', text: string, reasoning: string,
 *   attachments: Attachment[], model: string | null, usage: Usage | null, costUsd: number | null,
 *   firstTokenMs: number | null, durationMs: number | null, createdAt: number, state: 'done' | 'stopped' | 'failed',
 *   error: MessageError | null, reasoningMs?: number | null, sources?: Source[], toolCalls?: ToolCall[], note?: string,
 *   isPlain?: boolean,
 * }} Message
 *   parentId: the message before it, null for the first of a chat; isPlain: the text is no Markdown
 */
/** @typedef {import('./history/types.js').Chat} Chat */
/** @typedef {'chat' | 'transcribe' | 'ocr' | 'speech' | 'image' | 'none'} Kind what a model is asked for; none: not in a chat */
/** @typedef {import('../lib/types.js').Price} Price */
/** @typedef {{ id: string, name: string, hasVision: boolean, kind: Kind, price: Price | null }} Model */
/** @typedef {(path: string, init: RequestInit) => Promise<Response>} Send */
/** @typedef {{ system: string, temperature: number | null, maxTokens: number | null, isStreaming: boolean }} ChatSettings */
/** @typedef {{ language: string, format: string, voice: string }} FileSettings for transcripts and speech */

export {};
