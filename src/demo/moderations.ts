import { isRecord } from '../json/value.ts';
import { type DemoAnswer, type DemoCall, json, shortSha256 } from './call.ts';
import { invalidValue, missingParameter } from './fields.ts';

/** The categories of OpenAI's moderation models, each with words that the demo provider flags. */
const CATEGORIES: Readonly<Record<string, RegExp | null>> = {
  harassment: /\b(?:idiot|moron|loser)s?\b/i,
  'harassment/threatening': null,
  hate: /\bi hate (?:them|those|all)\b/i,
  'hate/threatening': null,
  illicit: /\b(?:pick a lock|counterfeit|launder money)\b/i,
  'illicit/violent': null,
  'self-harm': /\bself-harm\b|\b(?:hurt|harm) myself\b/i,
  'self-harm/instructions': null,
  'self-harm/intent': /\b(?:hurt|harm) myself\b/i,
  sexual: /\bporn\w*\b/i,
  'sexual/minors': null,
  violence: /\b(?:kill|murder|stab|shoot)\w*\b/i,
  'violence/graphic': /\b(?:gore|bloodbath)\b/i,
};

const MAX_INPUTS = 2048;

/** POST /v1/moderations (OpenAI API reference, Moderations): a word list decides, so that tests can tell. */
export function moderation(call: DemoCall): DemoAnswer {
  const { input } = call.body;
  if (input === undefined || input === null) throw missingParameter('input');
  const inputs = readInputs(input);
  return json({ id: `modr-${call.id}`, model: call.model, results: inputs.map(judge) });
}

/** A list of parts is one input; a list of strings is one input for each. */
function readInputs(input: unknown): string[] {
  if (typeof input === 'string') return [input];
  if (!Array.isArray(input) || input.length === 0 || input.length > MAX_INPUTS) {
    throw invalidValue('input', 'a string, strings, or parts');
  }
  if (input.every((item) => typeof item === 'string')) return input;
  if (!input.every(isRecord)) throw invalidValue('input', 'strings or parts, not both');
  return [input.map((part) => (typeof part['text'] === 'string' ? part['text'] : '')).join('\n')];
}

function judge(text: string): object {
  const verdicts = Object.entries(CATEGORIES).map(([category, pattern]) => {
    const isFlagged = pattern?.test(text) === true;
    // A small score that differs by category and text, as a model's would.
    const noise = Number.parseInt(shortSha256(`${category} ${text}`, 4), 16) / 10_000_000;
    return { category, isFlagged, score: isFlagged ? 0.98 : noise };
  });
  return {
    flagged: verdicts.some((verdict) => verdict.isFlagged),
    categories: Object.fromEntries(verdicts.map((verdict) => [verdict.category, verdict.isFlagged])),
    category_scores: Object.fromEntries(verdicts.map((verdict) => [verdict.category, verdict.score])),
    category_applied_input_types: Object.fromEntries(verdicts.map((verdict) => [verdict.category, ['text']])),
  };
}
