import { HttpError } from '../errors.ts';
import { shownText } from '../shown-text.ts';
import type { Price } from '../store/entities.ts';
import { type DemoAnswer, json } from './call.ts';

/** What an endpoint asks a model to do. */
export type DemoTask = 'chat' | 'embedding' | 'image' | 'speech' | 'transcription';

interface DemoModel {
  readonly id: string;
  readonly task: DemoTask;
  /** What the model takes in. */
  readonly modalities: readonly string[];
  /** Made up, so that the panel has something to show; what is absent is unknown. */
  readonly price: Partial<Price>;
}

/** What the chats of `demo-chat` cost. */
export const CHAT_PRICE: DemoModel['price'] = { inputPerMTok: 1, outputPerMTok: 4 };
const VISION_PRICE = { inputPerMTok: 2, outputPerMTok: 8 };
const REASONER_PRICE = { inputPerMTok: 3, outputPerMTok: 15 };
const EMBED_PRICE = { inputPerMTok: 0.1, outputPerMTok: 0 };
const AUDIO_PRICE = { perAudioMinute: 0.006 };

const MODELS: readonly DemoModel[] = [
  { id: 'demo-chat', task: 'chat', modalities: ['text'], price: CHAT_PRICE },
  { id: 'demo-vision', task: 'chat', modalities: ['text', 'image'], price: VISION_PRICE },
  { id: 'demo-reasoner', task: 'chat', modalities: ['text'], price: REASONER_PRICE },
  { id: 'demo-ocr', task: 'chat', modalities: ['text', 'image'], price: VISION_PRICE },
  { id: 'demo-embed', task: 'embedding', modalities: ['text'], price: EMBED_PRICE },
  { id: 'demo-image', task: 'image', modalities: ['text'], price: { perImage: 0.04 } },
  { id: 'demo-tts', task: 'speech', modalities: ['text'], price: { perRequest: 0.01 } },
  { id: 'demo-whisper', task: 'transcription', modalities: ['audio'], price: AUDIO_PRICE },
  { id: 'demo-transcribe', task: 'transcription', modalities: ['audio'], price: AUDIO_PRICE },
];

/** All demo models with their prices. */
export const DEMO_MODELS: readonly Pick<DemoModel, 'id' | 'price'>[] = MODELS;

const CREATED_SECONDS = Date.UTC(2026, 0, 1) / 1000;

/**
 * GET /v1/models, or GET /v1/models/{id} unless the id is empty (OpenAI API reference, Models).
 * @throws HttpError `model_not_found`.
 */
export function modelsAnswer(id: string): DemoAnswer {
  if (id === '') return json({ object: 'list', data: MODELS.map(toModelObject) });
  const model = MODELS.find((candidate) => candidate.id === id);
  if (model === undefined) throw unknownModel(id, { param: 'model' });
  return json(toModelObject(model));
}

/** Checks that a model exists and can do a task. @throws HttpError 404 `model_not_found`, as OpenAI does in both cases. */
export function requireModel(id: string, task: DemoTask): void {
  const model = MODELS.find((candidate) => candidate.id === id);
  if (model === undefined) throw unknownModel(id, {});
  if (model.task === task) return;
  const able = MODELS.filter((candidate) => candidate.task === task).map((candidate) => candidate.id);
  const message = `The model '${id}' does not serve this endpoint (${task}). Use ${able.join(' or ')}.`;
  throw new HttpError('model_not_found', message, { param: 'model' });
}

function unknownModel(id: string, options: { readonly param?: string }): HttpError {
  const message = `The model '${shownText(id)}' does not exist at the demo provider.`;
  return new HttpError('model_not_found', message, options);
}

function toModelObject({ id, modalities }: DemoModel): object {
  return {
    id,
    object: 'model',
    created: CREATED_SECONDS,
    owned_by: 'ipin-demo',
    input_modalities: modalities,
  };
}
