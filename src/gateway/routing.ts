import { HttpError } from '../errors.ts';
import { shownText } from '../shown-text.ts';
import type { Model, Provider } from '../store/entities.ts';
import type { ConfigView } from '../store/store.ts';

/** Where a model's calls go: the provider's record, and the model's name at that provider. */
export interface Route {
  readonly provider: Provider;
  readonly upstreamModel: string;
}

/** The model with this id. @throws HttpError `model_not_found` for a model that is unknown or disabled. */
export function findModel(view: ConfigView, modelId: string): Model {
  const model = view.models.get(modelId);
  if (model?.enabled === true) return model;
  throw modelNotFound(modelId);
}

/** The error for a model that is unknown or disabled. `modelId` may be just the start of a long name. */
export function modelNotFound(modelId: string): HttpError {
  return new HttpError(
    'model_not_found',
    `The model \`${shownText(modelId)}\` does not exist or is disabled. GET /v1/models lists the models you can use.`,
    { param: 'model' },
  );
}

/**
 * Finds where a model's calls go.
 * @throws HttpError `model_not_found`; `provider_not_configured` if the model's provider is missing or disabled.
 */
export function routeOf(view: ConfigView, modelId: string): Route {
  const model = findModel(view, modelId);
  const provider = view.providers.get(model.providerId);
  if (provider === undefined || !provider.enabled) {
    throw new HttpError(
      'provider_not_configured',
      `The provider of \`${model.id}\` is missing or disabled. Enable it in the panel.`,
      { headers: { 'x-should-retry': 'false' } },
    );
  }
  return { provider, upstreamModel: model.upstreamModel ?? model.id };
}
