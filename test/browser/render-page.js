// An answer of a model on its own, and a tray of files. The test drives them by `window`.
import { readAttachment, toMessageContent } from './js/chat/files/attachment.js';
import { createFilePicker, takeDroppedFiles, takePastedFiles } from './js/chat/files/file-sources.js';
import { createFileTray } from './js/chat/files/file-tray.js';
import { createMarkdownView, renderMarkdown } from './js/chat/render/markdown-view.js';
import { h } from './js/lib/h.js';

const answers = h('section', { 'aria-label': 'Answers' });
const problems = h('p', { role: 'status' });
const tray = createFileTray({
  onChange: () => {},
  onProblem: (text) => problems.replaceChildren(text),
});
const add = (files) => void tray.add(files);
const picker = createFilePicker({ label: 'Attach files', onFiles: add });
const field = h('textarea', { 'aria-label': 'Message' });
takePastedFiles(field, add);
const composer = h('section', { 'aria-label': 'Composer' }, tray.element, picker.element, field, problems);
takeDroppedFiles(composer, add);
document.querySelector('main').append(h('h2', null, 'Model'), answers, composer);

/** An image of one colour on a transparent ground, or of noise, which takes much space. */
async function makeImage(width, height, type, isNoise) {
  const canvas = h('canvas', { width, height });
  const context = canvas.getContext('2d');
  if (isNoise) {
    const pixels = context.createImageData(width, height);
    const view = new DataView(pixels.data.buffer);
    for (let at = 0; at < pixels.data.length; at += 4)
      view.setUint32(at, (Math.imul(at + 1, 2_654_435_761) >>> 0) | 0xff);
    context.putImageData(pixels, 0, 0);
  } else context.fillRect(0, 0, width / 2, height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type));
  return new File([blob], `image.${type.slice(6)}`, { type });
}

Object.assign(window, {
  tray,
  async attachImage(width, height, type, isNoise) {
    const file = await makeImage(width, height, type, isNoise);
    const attachment = await readAttachment(file);
    const bitmap = await createImageBitmap(attachment.file);
    return {
      name: attachment.name,
      type: attachment.type,
      isScaled: attachment.isScaled,
      size: [attachment.width, attachment.height],
      real: [bitmap.width, bitmap.height],
      isSame: attachment.file.size === file.size,
      isSmall: attachment.file.size < 3.5 * 1024 * 1024,
    };
  },
  toMessageContent,
  startAnswer() {
    const view = createMarkdownView({ onRender: () => (window.renders += 1) });
    answers.replaceChildren(view.element);
    return view;
  },
  showAnswers(texts) {
    answers.replaceChildren(...texts.map(renderMarkdown));
  },
  renders: 0,
});
