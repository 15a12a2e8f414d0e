import type { DemoAnswer, DemoCall } from './call.ts';
import { chatCompletion } from './chat.ts';
import { embeddings } from './embeddings.ts';
import { imageGeneration } from './images.ts';
import type { DemoTask } from './models.ts';
import { createResponse } from './responses.ts';
import { speech } from './speech.ts';
import { transcription, translation } from './transcriptions.ts';

/** An endpoint of the demo provider; every endpoint takes POST. */
export interface DemoEndpoint {
  readonly path: string;
  /** What the model must be able to do. */
  readonly task: DemoTask;
  readonly takes: 'json' | 'form';
  /** The model of requests that name none; without it they are refused. */
  readonly defaultModel?: string;
  readonly answer: (call: DemoCall) => DemoAnswer;
}

/** Every endpoint except the list of models. */
export const ENDPOINTS: readonly DemoEndpoint[] = [
  { path: '/v1/chat/completions', task: 'chat', takes: 'json', answer: chatCompletion },
  { path: '/v1/responses', task: 'chat', takes: 'json', defaultModel: 'demo-chat', answer: createResponse },
  { path: '/v1/embeddings', task: 'embedding', takes: 'json', answer: embeddings },
  {
    path: '/v1/images/generations',
    task: 'image',
    takes: 'json',
    defaultModel: 'demo-image',
    answer: imageGeneration,
  },
  { path: '/v1/audio/speech', task: 'speech', takes: 'json', answer: speech },
  { path: '/v1/audio/transcriptions', task: 'transcription', takes: 'form', answer: transcription },
  { path: '/v1/audio/translations', task: 'transcription', takes: 'form', answer: translation },
];
