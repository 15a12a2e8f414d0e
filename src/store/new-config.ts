import { NEW_SETTINGS, newModel, newProvider } from './new-records.ts';
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
  const provider = newProvider(
    {
      id: 'chutes-dots-ocr',
      name: 'Chutes RedNote Dots OCR',
      baseUrl: 'https://chutes-rednote-hilab-dots-ocr.chutes.ai',
      type: 'chutes',
      enabled: false,
    },
    time,
  );
  const upstreamModel = 'rednote-hilab/dots.ocr';
  const model = newModel(
    { id: 'dots-ocr', name: 'RedNote Dots OCR', providerId: provider.id, upstreamModel, vision: true },
    time,
  );
  return {
    instanceId: options.randomBytes(8).toString('hex'),
    masterKey: null,
    adminPasswordHash: null,
    settings: NEW_SETTINGS,
    providers: new Map([[provider.id, provider]]),
    models: new Map([[model.id, model]]),
    apiKeys: new Map(),
    users: new Map(),
  };
}
