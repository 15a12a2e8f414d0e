import { HttpError } from '../errors.ts';

/** What an endpoint asks a model to do. */
export type DemoTask =
  | 'chat'
  | 'completion'
  | 'embedding'
  | 'moderation'
  | 'rerank'
  | 'image'
  | 'speech'
  | 'transcription'
  | 'translation';

interface DemoModel {
  readonly id: string;
  readonly tasks: readonly DemoTask[];
  readonly modalities: readonly string[];
}

const MODELS: readonly DemoModel[] = [
  { id: 'demo-chat', tasks: ['chat', 'completion'], modalities: ['text'] },
  { id: 'demo-vision', tasks: ['chat', 'completion'], modalities: ['text', 'image'] },
  { id: 'demo-reasoner', tasks: ['chat'], modalities: ['text'] },
  { id: 'demo-ocr', tasks: ['chat'], modalities: ['text', 'image'] },
  { id: 'demo-embed', tasks: ['embedding'], modalities: ['text'] },
  { id: 'demo-rerank', tasks: ['rerank'], modalities: ['text'] },
  { id: 'demo-moderation', tasks: ['moderation'], modalities: ['text', 'image'] },
  { id: 'demo-image', tasks: ['image'], modalities: ['text', 'image'] },
  { id: 'demo-tts', tasks: ['speech'], modalities: ['text'] },
  { id: 'demo-whisper', tasks: ['transcription', 'translation'], modalities: ['audio'] },
  { id: 'demo-transcribe', tasks: ['transcription'], modalities: ['audio'] },
];

/** The ids of all demo models. */
export const DEMO_MODEL_IDS: readonly string[] = MODELS.map(({ id }) => id);

const CREATED_SECONDS = Date.UTC(2026, 0, 1) / 1000;

/** The answer to `GET /v1/models`: every demo model; `input_modalities` marks those that see images. */
export function listModels(): object {
  return { object: 'list', data: MODELS.map(toModelObject) };
}

/** The answer to `GET /v1/models/{id}`. Throws 404 `model_not_found`. */
export function retrieveModel(id: string): object {
  const model = MODELS.find((candidate) => candidate.id === id);
  if (model === undefined) throw unknownModel(id, { param: 'model' });
  return toModelObject(model);
}

/** Checks that a model exists and does what the endpoint is for. Throws 404, as OpenAI does in both cases. */
export function requireModel(id: string, task: DemoTask): void {
  const model = MODELS.find((candidate) => candidate.id === id);
  if (model === undefined) throw unknownModel(id, {});
  if (model.tasks.includes(task)) return;
  const able = MODELS.filter((candidate) => candidate.tasks.includes(task)).map((candidate) => candidate.id);
  const message = `The model '${id}' does not serve this endpoint (${task}). Use ${able.join(' or ')}.`;
  throw new HttpError('model_not_found', message, { param: 'model' });
}

function unknownModel(id: string, options: { readonly param?: string }): HttpError {
  const shown = id.length > 100 ? `${id.slice(0, 100)}…` : id;
  return new HttpError(
    'model_not_found',
    `The model '${shown}' does not exist at the demo provider.`,
    options,
  );
}

function toModelObject(model: DemoModel): object {
  return {
    id: model.id,
    object: 'model',
    created: CREATED_SECONDS,
    owned_by: 'ipin-demo',
    input_modalities: model.modalities,
  };
}
