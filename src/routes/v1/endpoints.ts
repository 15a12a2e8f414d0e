import type { Endpoint } from '../../gateway/endpoint.ts';

/** The table of endpoints that are relayed: a new one is a row, and gets the gate of keys, limits and logs with it. */
export const ENDPOINTS: readonly Endpoint[] = [
  { path: 'chat/completions', body: 'json', answer: 'json', namesModel: true, streamEnd: 'chat' },
  { path: 'completions', body: 'json', answer: 'json', namesModel: true, streamEnd: 'chat' },
  { path: 'responses', body: 'json', answer: 'json', namesModel: true, streamEnd: 'responses' },
  { path: 'moderations', body: 'json', answer: 'json', namesModel: true, streamEnd: null },
  { path: 'rerank', body: 'json', answer: 'json', namesModel: true, streamEnd: null },
  { path: 'embeddings', body: 'json', answer: 'json', namesModel: true, streamEnd: null },
  { path: 'images/generations', body: 'json', answer: 'json', namesModel: false, streamEnd: null },
  { path: 'audio/speech', body: 'json', answer: 'binary', namesModel: false, streamEnd: null },
  { path: 'audio/transcriptions', body: 'form', answer: 'binary', namesModel: false, streamEnd: null },
  { path: 'audio/translations', body: 'form', answer: 'binary', namesModel: false, streamEnd: null },
  { path: 'images/edits', body: 'form', answer: 'json', namesModel: false, streamEnd: null },
  { path: 'images/variations', body: 'form', answer: 'json', namesModel: false, streamEnd: null },
];
