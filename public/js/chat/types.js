/** Shapes of the chat, for the type checker only. Nothing imports this file at run time. */

/** @typedef {import('./history/types.js').Attachment} Attachment */
/** @typedef {import('./history/types.js').Message} Message */
/** @typedef {import('./history/types.js').Sought} Sought */
/** @typedef {import('./history/types.js').Source} Source */
/** @typedef {import('./history/types.js').ToolCall} ToolCall */
/** @typedef {import('./history/types.js').Usage} Usage */
/** @typedef {import('./history/types.js').Chat} Chat */
/** @typedef {'chat' | 'transcribe' | 'ocr' | 'speech' | 'image' | 'none'} Kind what a model is asked for; none: not in a chat */
/** @typedef {import('../lib/types.js').Price} Price */
/** @typedef {{ id: string, name: string, hasVision: boolean, kind: Kind, price: Price | null }} Model */
/** @typedef {(path: string, init: RequestInit) => Promise<Response>} Send */
/** @typedef {{ system: string, temperature: number | null, maxTokens: number | null, isStreaming: boolean }} ChatSettings */
/** @typedef {{ language: string, format: string, voice: string }} FileSettings for transcripts and speech */

export {};
