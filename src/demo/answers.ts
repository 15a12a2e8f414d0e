import { count } from './attachments.ts';
import type { Conversation } from './conversation.ts';
import { MARKDOWN_SAMPLE } from './markdown-sample.ts';

const MAX_ECHO_LENGTH = 600;
const MAX_COUNT = 500;

const CAPITALS: Readonly<Record<string, string>> = {
  argentina: 'Buenos Aires',
  australia: 'Canberra',
  brazil: 'Brasília',
  canada: 'Ottawa',
  china: 'Beijing',
  egypt: 'Cairo',
  france: 'Paris',
  germany: 'Berlin',
  india: 'New Delhi',
  indonesia: 'Jakarta',
  italy: 'Rome',
  japan: 'Tokyo',
  kenya: 'Nairobi',
  mexico: 'Mexico City',
  spain: 'Madrid',
  'the united kingdom': 'London',
  'the united states': 'Washington, D.C.',
};

/** Answers the last user message: always the same words for the same conversation and model. */
export function answerTo(conversation: Conversation, model: string): string {
  const { attachments, toolResult } = conversation;
  const text = conversation.text.trim();
  if (toolResult !== null) return `The tool answered: ${shorten(toolResult)}`;
  const images = attachments.filter((attachment) => attachment.kind === 'image');
  if (model === 'demo-ocr' || (images.length > 0 && asksForText(text))) {
    return images.map((image) => image.text).join('\n\n') || 'Send me an image, and I answer with its text.';
  }
  if (attachments.length > 0) {
    const lines = attachments.map((attachment) => `- ${attachment.line}`);
    return `I received ${count(attachments.length, 'attachment')}:\n\n${lines.join('\n')}${quoteOf(text)}`;
  }
  return knownAnswer(text) ?? defaultAnswer(text, conversation.system);
}

/** What the reasoning model "thinks" before it answers. */
export function thoughtsOn(conversation: Conversation): string {
  const words = conversation.text.split(/\s+/, 2000).filter((word) => word !== '').length;
  return `The user wrote ${count(words, 'word')}. I need no tool for that, so I answer at once.`;
}

function asksForText(text: string): boolean {
  return /\bocr\b|\b(?:extract|read|transcribe)\b.{0,60}\btext\b/is.test(text);
}

function knownAnswer(text: string): string | null {
  if (text === '') return 'You sent no text. Write something, and I answer.';
  if (text.length > 200) return null;
  if (/\bmarkdown\b/i.test(text)) return MARKDOWN_SAMPLE;
  const repeated = /^(?:please\s+)?(?:say|repeat(?:\s+after\s+me)?)\b[:,\s]+(.+)$/is.exec(text)?.[1];
  if (repeated !== undefined) return repeated.replace(/^["“'](.*)["”']$/s, '$1');
  const last = /\bcount\s+(?:from\s+(?:1|one)\s+)?to\s+(\d{1,6})\b/i.exec(text)?.[1];
  if (last !== undefined) return countTo(Math.min(Number(last), MAX_COUNT));
  const country = /\bcapital\s+(?:city\s+)?of\s+([a-z ]+)/i.exec(text)?.[1]?.trim().toLowerCase() ?? '';
  const found = [country, `the ${country}`].find((name) => Object.hasOwn(CAPITALS, name));
  if (found !== undefined) return `The capital of ${capitalise(found)} is ${CAPITALS[found]}.`;
  if (/^(?:hi|hello|hey|good\s+(?:morning|day|evening))\b/i.test(text)) {
    return 'Hello! I am the demo provider built into iPin Proxy. Ask me anything: I answer without leaving this machine.';
  }
  return calculate(text);
}

function calculate(text: string): string | null {
  const sum = /(-?\d{1,12}(?:\.\d{1,6})?)\s*([-+*/x×÷])\s*(-?\d{1,12}(?:\.\d{1,6})?)/.exec(text);
  if (sum === null) return null;
  const [, left = '', sign = '', right = ''] = sum;
  const [a, b] = [Number(left), Number(right)];
  if ('/÷'.includes(sign)) {
    return b === 0 ? 'Nothing can be divided by zero.' : `${left} ÷ ${right} = ${round(a / b)}`;
  }
  if (sign === '+') return `${left} + ${right} = ${round(a + b)}`;
  return sign === '-' ? `${left} - ${right} = ${round(a - b)}` : `${left} × ${right} = ${round(a * b)}`;
}

function round(value: number): string {
  return String(Number(value.toPrecision(12)));
}

function countTo(last: number): string {
  return Array.from({ length: last }, (_, index) => index + 1).join(', ');
}

function defaultAnswer(text: string, system: string): string {
  const words = text.split(/\s+/, 10_000).length;
  const instructions = system === '' ? '' : `\n\nMy instructions: “${shorten(system)}”`;
  return `You wrote: “${shorten(text)}”

That is ${count(words, 'word')} and ${count(text.length, 'character')}. I am the demo provider built into iPin Proxy: no model thinks behind me, and the same question always gets the same answer. Ask me for “markdown” to see formatted text, or send me an image.${instructions}`;
}

function quoteOf(text: string): string {
  return text === '' ? '' : `\n\nYou wrote: “${shorten(text)}”`;
}

function shorten(text: string): string {
  const characters = [...text.slice(0, MAX_ECHO_LENGTH + 1)];
  return characters.length > MAX_ECHO_LENGTH ? `${characters.slice(0, MAX_ECHO_LENGTH).join('')}…` : text;
}

function capitalise(name: string): string {
  return name.replace(/\b(?!the\b)[a-z]/g, (letter) => letter.toUpperCase());
}
