import type { DialectName } from '../dialects/dialect.ts';
import { HttpError } from '../errors.ts';
import type { CompiledProvider } from '../providers/adapter.ts';
import { protocolWay } from '../providers/protocol-way.ts';
import { noUsableKey } from '../providers/usable-key.ts';
import { shownText } from '../shown-text.ts';
import type { Fallback, Model, Price, Provider } from '../store/entities.ts';
import type { ConfigView } from '../store/store.ts';
import type { PlannedTarget } from './attempt-plan.ts';
import type { Aim } from './rest-names.ts';

/** A model that serves a name. */
export interface FoundModel {
  readonly model: Model;
  /** What the `*` of the model's id stands for; null: the id is the name itself. */
  readonly wildcard: string | null;
}

/** A model's target: the provider's record, and the model's name at that provider. */
interface Route {
  readonly provider: Provider;
  readonly upstreamModel: string;
  /** null: it is asked only when those before it have failed. */
  readonly weight: number | null;
  /** The owner's own price. */
  readonly price: Price | null;
}

/** How the targets of a call are put in order. */
export interface RoutingOptions {
  readonly providers: { of(record: Provider): CompiledProvider };
  readonly health: {
    /** The keys of a provider in the order in which they are asked. */
    inTurn<K extends { readonly id: string }>(providerId: string, keys: readonly K[]): readonly K[];
  };
  /** A number from 0 to below 1. */
  readonly random: () => number;
}

/** The targets of a model that can be asked, in the order in which they are. @throws HttpError `provider_not_configured`. */
export function planTargets(
  { found, modelId, view }: { found: FoundModel; modelId: string; view: ConfigView },
  options: RoutingOptions,
): PlannedTarget[] {
  const routes = routesOf(found, modelId, view);
  const targets: PlannedTarget[] = [];
  let refusal: HttpError | null = null;
  for (const route of inOrder(routes, options.random)) {
    // A target that is named twice is one: where a call may have run, it is never asked again.
    if (targets.some((target) => isTargetOf(target, route))) continue;
    try {
      targets.push(toTarget(route, options));
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      refusal ??= error;
    }
  }
  if (targets.length === 0) throw refusal ?? notConfigured(found.model);
  return targets;
}

/**
 * The same targets, with the one that served the conversation last before the others that share the load with it, and its key
 * before the provider's other keys.
 */
export function withServedFirst(targets: readonly PlannedTarget[], served: Aim): PlannedTarget[] {
  const isServed = (target: PlannedTarget): boolean =>
    target.provider.id === served.providerId && target.upstreamModel === served.upstreamModel;
  const keysFirst = targets.map((target) => {
    const key = isServed(target) ? target.keys.find((one) => one?.id === served.keyId) : undefined;
    return key === undefined
      ? target
      : { ...target, keys: [key, ...target.keys.filter((one) => one !== key)] };
  });
  // Those that share the load come first in any case.
  const isFirst = (target: PlannedTarget): boolean => target.isShared && isServed(target);
  return [...keysFirst.filter(isFirst), ...keysFirst.filter((target) => !isFirst(target))];
}

/** How the targets of a model serve a protocol: some of them natively, or perhaps so; some by translation, or perhaps so. */
export interface ModelWays {
  readonly mayBeNative: boolean;
  readonly mayBeTranslated: boolean;
}

/** How the targets of a model that can be asked serve a protocol. */
export function waysOf(
  { found, modelId, view }: { found: FoundModel; modelId: string; view: ConfigView },
  name: DialectName,
  providers: RoutingOptions['providers'],
): ModelWays {
  const ways = routesOf(found, modelId, view).map(({ provider }) => {
    const compiled = tryCompile(provider, providers);
    return compiled === null ? null : protocolWay(compiled, name, compiled.quirks);
  });
  return {
    mayBeNative: ways.some((way) => way === 'native' || way === 'untried'),
    mayBeTranslated: ways.some((way) => way === 'translated' || way === 'untried'),
  };
}

/** null: its base URL is not valid, so it is not asked. */
function tryCompile(provider: Provider, providers: RoutingOptions['providers']): CompiledProvider | null {
  try {
    return providers.of(provider);
  } catch (error) {
    if (error instanceof HttpError) return null;
    throw error;
  }
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

/** The error for a model that is unknown or disabled. `modelId` may be just the start of a long name. */
export function modelNotFound(modelId: string): HttpError {
  return new HttpError(
    'model_not_found',
    `The model \`${shownText(modelId)}\` does not exist or is disabled. GET /v1/models lists the models you can use.`,
    { param: 'model' },
  );
}

function routesOf({ model, wildcard }: FoundModel, modelId: string, { providers }: ConfigView): Route[] {
  const routes: Route[] = [];
  const add = ({ providerId, upstreamModel, weight, price }: Fallback): void => {
    const provider = providers.get(providerId);
    if (provider === undefined || !provider.enabled) return;
    routes.push({ provider, upstreamModel: upstreamName(upstreamModel, wildcard) ?? modelId, weight, price });
  };
  const { providerId, upstreamModel, weight, price } = model;
  add({ providerId, upstreamModel, weight: weight ?? 1, price });
  for (const fallback of model.fallbacks) add(fallback);
  return routes;
}

/** A model's name at a provider, with its `*` replaced; null: the name that was asked for. */
export function upstreamName(upstreamModel: string | null, wildcard: string | null): string | null {
  // A function, because the text of a replacement would be read for `$`.
  return wildcard === null || upstreamModel === null
    ? upstreamModel
    : upstreamModel.replace('*', () => wildcard);
}

/** Those with a weight first, drawn by weight, then the others as they stand. */
function inOrder(routes: readonly Route[], random: () => number): readonly Route[] {
  if (routes.length < 2) return routes;
  const rest = routes.filter(({ weight }) => weight !== null);
  const drawn: Route[] = [];
  while (rest.length > 0) {
    let point = random() * rest.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
    const at = rest.findIndex(({ weight }) => {
      point -= weight ?? 0;
      return point < 0;
    });
    drawn.push(...rest.splice(Math.max(at, 0), 1));
  }
  return [...drawn, ...routes.filter(({ weight }) => weight === null)];
}

function isTargetOf(target: PlannedTarget, { provider, upstreamModel }: Route): boolean {
  return target.provider.id === provider.id && target.upstreamModel === upstreamModel;
}

/** @throws HttpError `provider_not_configured` if none of its keys can be used; HttpError as `compileProvider`. */
function toTarget(
  { provider, upstreamModel, weight, price }: Route,
  { providers, health }: RoutingOptions,
): PlannedTarget {
  const compiled = providers.of(provider);
  if (compiled.hasKeys && compiled.keys.length === 0) throw noUsableKey(provider);
  const keys = compiled.hasKeys ? health.inTurn(compiled.id, compiled.keys) : KEYLESS;
  return { provider: compiled, upstreamModel, isShared: weight !== null, keys, price };
}

const KEYLESS: readonly null[] = [null];

function notConfigured({ id }: Model): HttpError {
  return new HttpError(
    'provider_not_configured',
    `The provider of \`${id}\` is missing or disabled. Enable it in the panel.`,
    { headers: { 'x-should-retry': 'false' } },
  );
}
