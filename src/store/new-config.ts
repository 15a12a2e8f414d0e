import type { Model, Provider } from './entities.ts';
import type { ConfigState } from './store.ts';

export interface NewConfigOptions {
  /** The current time in milliseconds. */
  readonly now: () => number;
  /** Random bytes, for the instance id. */
  readonly randomBytes: (count: number) => Buffer;
}

/** The content of a new database: one OCR provider, disabled and without a key, and its model. */
export function createNewConfig(options: NewConfigOptions): ConfigState {
  const time = new Date(options.now()).toISOString();
  const provider: Provider = {
    id: 'chutes-dots-ocr',
    name: 'Chutes RedNote Dots OCR',
    baseUrl: 'https://chutes-rednote-hilab-dots-ocr.chutes.ai',
    apiKey: null,
    unreadableApiKey: null,
    type: 'chutes',
    enabled: false,
    options: {},
    createdAt: time,
    updatedAt: time,
  };
  const model: Model = {
    id: 'dots-ocr',
    name: 'RedNote Dots OCR',
    providerId: provider.id,
    upstreamModel: 'rednote-hilab/dots.ocr',
    enabled: true,
    vision: true,
    createdAt: time,
    updatedAt: time,
  };
  return {
    instanceId: options.randomBytes(8).toString('hex'),
    masterKey: null,
    adminPasswordHash: null,
    providers: new Map([[provider.id, provider]]),
    models: new Map([[model.id, model]]),
    apiKeys: new Map(),
    users: new Map(),
  };
}
