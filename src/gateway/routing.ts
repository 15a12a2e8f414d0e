import { HttpError } from '../errors.ts';
import { shownText } from '../shown-text.ts';
import type { Model, Provider } from '../store/entities.ts';
import type { ConfigView } from '../store/store.ts';

/** A model that serves a name. */
export interface FoundModel {
  readonly model: Model;
  /** What the `*` of the model's id stands for; null: the id is the name itself. */
  readonly wildcard: string | null;
}

/** Where a model's calls go: the provider's record, and the model's name at that provider. */
export interface Route {
  readonly provider: Provider;
  readonly upstreamModel: string;
}

/** The model that serves a name, see `lookUpModel`. @throws HttpError `model_not_found`. */
export function findModel(view: ConfigView, modelId: string): FoundModel {
  const found = lookUpModel(view, modelId);
  if (found === null) throw modelNotFound(modelId);
  return found;
}

/** The enabled model that serves a name: the one with this id, else the wildcard that says most; null: none does. */
export function lookUpModel(view: ConfigView, modelId: string): FoundModel | null {
  const model = view.models.get(modelId);
  if (model?.enabled === true) return { model, wildcard: null };
  for (const one of view.wildcardModels) {
    const wildcard = wildcardIn(one.id, modelId);
    if (wildcard !== null) return { model: one, wildcard };
  }
  return null;
}

/** What the `*` of a pattern stands for in a name, at least one character; null: the name does not fit. */
function wildcardIn(pattern: string, name: string): string | null {
  const star = pattern.indexOf('*');
  const end = pattern.slice(star + 1);
  const fits = name.length >= pattern.length && name.startsWith(pattern.slice(0, star)) && name.endsWith(end);
  return fits ? name.slice(star, name.length - end.length) : null;
}

/** A model's name at a provider, with its `*` replaced; null: the name that was asked for. */
export function upstreamName(upstreamModel: string | null, wildcard: string | null): string | null {
  // A function, because the text of a replacement would be read for `$`.
  return wildcard === null || upstreamModel === null
    ? upstreamModel
    : upstreamModel.replace('*', () => wildcard);
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
  const { model, wildcard } = findModel(view, modelId);
  const provider = view.providers.get(model.providerId);
  if (provider === undefined || !provider.enabled) {
    throw new HttpError(
      'provider_not_configured',
      `The provider of \`${model.id}\` is missing or disabled. Enable it in the panel.`,
      { headers: { 'x-should-retry': 'false' } },
    );
  }
  return { provider, upstreamModel: upstreamName(model.upstreamModel, wildcard) ?? modelId };
}
