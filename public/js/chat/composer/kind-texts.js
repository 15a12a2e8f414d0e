/** What the composer says and takes, by what the model is for. */

/** @typedef {import('../types.js').Kind} Kind */
/** @typedef {import('../files/file-kinds.js').FileKind} FileKind */

/**
 * @type {Readonly<Record<Kind, { label: string, placeholder: string, takes: readonly FileKind[], needs: '' | 'file' | 'text' }>>}
 *   takes: `image` of a chat holds for models that see; needs: without it nothing is sent
 */
export const KIND_TEXTS = {
  chat: {
    label: 'Message',
    placeholder: 'Ask something, or / for a preset',
    takes: ['image', 'text', 'pdf'],
    needs: '',
  },
  ocr: {
    label: 'What to read and how (optional)',
    placeholder: 'Add an image; say what to read (optional)',
    takes: ['image'],
    needs: 'file',
  },
  transcribe: {
    label: 'Names and words that occur (optional)',
    placeholder: 'Add a recording; names that occur in it (optional)',
    takes: ['audio'],
    needs: 'file',
  },
  speech: { label: 'Text to read aloud', placeholder: 'Text to read aloud', takes: [], needs: 'text' },
  image: {
    label: 'Description of the picture',
    placeholder: 'Describe the picture',
    takes: [],
    needs: 'text',
  },
  none: {
    label: 'Message',
    placeholder: 'This model is for programs. Choose another one.',
    takes: [],
    needs: 'text',
  },
};

const MODEL_NAMES = {
  image: 'a model with the camera sign',
  audio: 'a model for audio, such as Whisper',
  text: 'a chat model',
  pdf: 'a chat model',
};
const FILE_NAMES = { image: 'images', audio: 'audio', text: 'text files', pdf: 'PDF files' };

/**
 * Why a file does not fit a model; '' if it does.
 * @param {FileKind} file
 * @param {import('../types.js').Model | null} model
 */
export function findMismatch(file, model) {
  if (model === null) return '';
  const takes = KIND_TEXTS[model.kind].takes.includes(file);
  const isBlind = model.kind === 'chat' && file === 'image' && !model.hasVision;
  if (takes && !isBlind) return '';
  return `${model.name} takes no ${FILE_NAMES[file]}. Choose ${MODEL_NAMES[file]}, or remove the file.`;
}
