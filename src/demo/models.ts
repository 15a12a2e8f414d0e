import { HttpError } from '../errors.ts';
import { shownText } from '../shown-text.ts';
import { type DemoAnswer, json } from './call.ts';

/** What an endpoint asks a model to do. */
export type DemoTask = 'chat' | 'embedding' | 'image' | 'speech' | 'transcription';

interface DemoModel {
  readonly id: string;
  readonly task: DemoTask;
  /** What the model takes in. */
  readonly modalities: readonly string[];
}

const MODELS: readonly DemoModel[] = [
  { id: 'demo-chat', task: 'chat', modalities: ['text'] },
  { id: 'demo-vision', task: 'chat', modalities: ['text', 'image'] },
  { id: 'demo-reasoner', task: 'chat', modalities: ['text'] },
  { id: 'demo-ocr', task: 'chat', modalities: ['text', 'image'] },
  { id: 'demo-embed', task: 'embedding', modalities: ['text'] },
  { id: 'demo-image', task: 'image', modalities: ['text'] },
  { id: 'demo-tts', task: 'speech', modalities: ['text'] },
  { id: 'demo-whisper', task: 'transcription', modalities: ['audio'] },
  { id: 'demo-transcribe', task: 'transcription', modalities: ['audio'] },
];

/** The ids of all demo models. */
export const DEMO_MODEL_IDS: readonly string[] = MODELS.map(({ id }) => id);

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
