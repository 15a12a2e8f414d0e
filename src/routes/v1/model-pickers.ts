import { HttpError } from '../../errors.ts';
import { firstMatch, type JsonScan } from '../../json/matches.ts';

/** The longest name of a model, in UTF-16 units. */
export const MODEL_LENGTH = 512;

/**
 * Members and fields that may lead a request to a model other than `model`. Keys that are restricted to certain models may
 * not send them. Patterns are in the syntax of `compilePatterns`; forms have the fields without a dot.
 */
const MODEL_PICKERS = [
  // OpenRouter: tried in order if the first model fails.
  'models',
  'route',
  // LiteLLM: the same, also if the prompt is too long for the first model.
  'fallbacks',
  'fallback_models',
  'context_window_fallback_dict',
  // OpenRouter: a stored configuration, and plugins, with their own models.
  'preset',
  'plugins',
  // Servers that use an OpenAI client move its members to the top level.
  'extra_body',
  // Azure, and LiteLLM for Azure: the deployment names a model.
  'deployment_id',
  // OpenAI: the model by which a tool makes an image or a search.
  'tools.*.model',
] as const;

/** Longer than every name above and `model`. */
const LONGEST_NAME = 64;

/** Arguments for `compilePatterns`, to be combined with the other members to look up. */
export const PICKER_PATTERNS: readonly string[] = MODEL_PICKERS;
export const PICKERS_FOLDING: readonly string[] = ['tools.*'];

/** Refuses a body that may lead a restricted key's request to another model. @throws HttpError `invalid_body`. */
export function refuseModelPickers(scan: JsonScan): void {
  for (const name of MODEL_PICKERS) {
    // Some servers ignore the case of names (Go's encoding/json).
    if (firstMatch(scan, name) !== undefined || scan.folded.includes(name)) throw pickerRefused(name);
  }
}

/** True for a name that may lead a request to a model other than `model`. */
export function isModelPicker(name: string): boolean {
  return MODEL_PICKERS.some((picker) => picker === foldedName(name));
}

/** Refuses a form part that may lead a restricted key's request to another model. @throws HttpError `invalid_body`. */
export function refusePickerPart(name: string): void {
  const picker = MODEL_PICKERS.find((candidate) => candidate === foldedName(name));
  if (picker !== undefined) throw pickerRefused(picker);
}

/** Refuses a query that may lead a restricted key's request to another model. @throws HttpError `invalid_body`. */
export function refusePickerQuery(query: string): void {
  if (query === '') return;
  for (const name of new URLSearchParams(query).keys()) {
    if (foldedName(name) === 'model') throw pickerRefused('model');
    refusePickerPart(name);
  }
}

/**
 * The field name as the most lenient form parser would read it: `models` for ` Models[0]` and `models[a]`.
 * Converts to upper case first, because only then the long s and the dotless i become ASCII letters.
 */
export function foldedName(name: string): string {
  const opening = name.indexOf('[', 1);
  const base = (opening < 0 ? name : name.slice(0, opening)).trim();
  return base.length > LONGEST_NAME ? base : base.toUpperCase().toLowerCase();
}

/** The error for what may lead a restricted key's request to another model. */
export function pickerRefused(name: string): HttpError {
  const message = `This key is restricted to certain models and may not send \`${name}\`.`;
  return new HttpError('invalid_body', message, { param: name });
}
