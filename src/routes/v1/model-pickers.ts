import { HttpError } from '../../errors.ts';
import { firstMatch, type JsonScan } from '../../json/matches.ts';

/** No model has a longer name, in UTF-16 units. */
export const MODEL_LENGTH = 512;

/**
 * Members and fields by which a request may reach other models than `model` names, so that keys with restricted models
 * may not send them. Patterns as `compilePatterns` takes them; a form has those without a dot.
 */
const MODEL_PICKERS = [
  // OpenRouter: tried in order where the first one fails.
  'models',
  'route',
  // LiteLLM: the same, also where the prompt is too long for the first one.
  'fallbacks',
  'fallback_models',
  'context_window_fallback_dict',
  // OpenRouter: a stored configuration and helpers, each with models of its own.
  'preset',
  'plugins',
  // Members of this one are moved to the top level by servers behind which an OpenAI client stands.
  'extra_body',
  // Azure, and LiteLLM in its place: a model under the name of its deployment.
  'deployment_id',
  // OpenAI: the model that makes the picture or the search of a tool.
  'tools.*.model',
] as const;

/** Of the names above and `model`; a longer one is none of them. */
const LONGEST_NAME = 64;

/** For `compilePatterns`, beside what else is wanted of a body. */
export const PICKER_PATTERNS: readonly string[] = MODEL_PICKERS;
export const PICKERS_FOLDING: readonly string[] = ['tools.*'];

/** @throws HttpError `invalid_body` for a body that may lead a restricted key's request to another model. */
export function refuseModelPickers(scan: JsonScan): void {
  for (const name of MODEL_PICKERS) {
    // Some servers read names without regard to letter case (Go's encoding/json).
    if (firstMatch(scan, name) !== undefined || scan.folded.includes(name)) throw pickerRefused(name);
  }
}

/** @throws HttpError `invalid_body` for a form's part by which a restricted key's request may reach another model. */
export function refusePickerPart(name: string): void {
  const picker = MODEL_PICKERS.find((candidate) => candidate === foldedName(name));
  if (picker !== undefined) throw pickerRefused(picker);
}

/** @throws HttpError `invalid_body` for a query, where it goes on, by which a restricted key's request may reach another model. */
export function refusePickerQuery(query: string): void {
  if (query === '') return;
  for (const name of new URLSearchParams(query).keys()) {
    if (foldedName(name) === 'model') throw pickerRefused('model');
    refusePickerPart(name);
  }
}

/**
 * The field that the most forgiving reader would take a form's name for: `models` for ` Models[0]` and `models[a]`.
 * Upper case first: the long s and the dotless i fold into ASCII only so.
 */
export function foldedName(name: string): string {
  const opening = name.indexOf('[', 1);
  const base = (opening < 0 ? name : name.slice(0, opening)).trim();
  return base.length > LONGEST_NAME ? base : base.toUpperCase().toLowerCase();
}

function pickerRefused(name: string): HttpError {
  const message = `This key is restricted to certain models and may not send \`${name}\`.`;
  return new HttpError('invalid_body', message, { param: name });
}
