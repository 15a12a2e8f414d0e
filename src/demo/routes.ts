import type { DemoAnswer, DemoCall } from './call.ts';
import { chatCompletion } from './chat.ts';
import { completion } from './completions.ts';
import { embeddings } from './embeddings.ts';
import { imageEdit, imageGeneration, imageVariation } from './images.ts';
import type { DemoTask } from './models.ts';
import { moderation } from './moderations.ts';
import { rerank } from './rerank.ts';
import { createResponse } from './responses.ts';
import { speech } from './speech.ts';
import { chutesTranscription, transcription, translation } from './transcriptions.ts';

/** An endpoint of the demo provider; all of them take POST. */
export interface DemoRoute {
  readonly path: string;
  readonly bodies: readonly ('json' | 'form')[];
  readonly task: DemoTask;
  /** The model of requests that name none; null where a model is required. */
  readonly defaultModel: string | null;
  readonly answer: (call: DemoCall) => DemoAnswer;
}

const JSON_ONLY = ['json'] as const;
const FORM_ONLY = ['form'] as const;

/** Every endpoint but the list of models. */
export const DEMO_ROUTES: readonly DemoRoute[] = [
  {
    path: '/v1/chat/completions',
    bodies: JSON_ONLY,
    task: 'chat',
    defaultModel: null,
    answer: chatCompletion,
  },
  { path: '/v1/completions', bodies: JSON_ONLY, task: 'completion', defaultModel: null, answer: completion },
  {
    path: '/v1/responses',
    bodies: JSON_ONLY,
    task: 'chat',
    defaultModel: 'demo-chat',
    answer: createResponse,
  },
  { path: '/v1/embeddings', bodies: JSON_ONLY, task: 'embedding', defaultModel: null, answer: embeddings },
  {
    path: '/v1/moderations',
    bodies: JSON_ONLY,
    task: 'moderation',
    defaultModel: 'demo-moderation',
    answer: moderation,
  },
  { path: '/v1/rerank', bodies: JSON_ONLY, task: 'rerank', defaultModel: null, answer: rerank },
  {
    path: '/v1/images/generations',
    bodies: JSON_ONLY,
    task: 'image',
    defaultModel: 'demo-image',
    answer: imageGeneration,
  },
  {
    path: '/v1/images/edits',
    bodies: ['form', 'json'],
    task: 'image',
    defaultModel: 'demo-image',
    answer: imageEdit,
  },
  {
    path: '/v1/images/variations',
    bodies: FORM_ONLY,
    task: 'image',
    defaultModel: 'demo-image',
    answer: imageVariation,
  },
  { path: '/v1/audio/speech', bodies: JSON_ONLY, task: 'speech', defaultModel: null, answer: speech },
  {
    path: '/v1/audio/transcriptions',
    bodies: FORM_ONLY,
    task: 'transcription',
    defaultModel: null,
    answer: transcription,
  },
  {
    path: '/v1/audio/translations',
    bodies: FORM_ONLY,
    task: 'translation',
    defaultModel: null,
    answer: translation,
  },
  {
    path: '/transcribe',
    bodies: JSON_ONLY,
    task: 'transcription',
    defaultModel: 'demo-whisper',
    answer: chutesTranscription,
  },
];
