// An answer of a model on its own, and a tray of files. The test drives them by `window`.
import { readAttachment, toMessageContent } from './js/chat/files/attachment.js';
import { createFilePicker, takeDroppedFiles, takePastedFiles } from './js/chat/files/file-sources.js';
import { createFileTray } from './js/chat/files/file-tray.js';
import { createMarkdownView, renderMarkdown } from './js/chat/render/markdown-view.js';
import { h } from './js/lib/h.js';

const answers = h('section', { 'aria-label': 'Answers' });
const problems = h('p', { role: 'status' });
const tray = createFileTray({
  onChange: () => problems.replaceChildren(),
  onProblem: (text) => problems.replaceChildren(text),
});
const add = (files) => void tray.add(files);
const picker = createFilePicker({ label: 'Attach files', onFiles: add });
const field = h('textarea', { 'aria-label': 'Message' });
takePastedFiles(field, add);
const composer = h('section', { 'aria-label': 'Composer' }, tray.element, picker.element, field, problems);
takeDroppedFiles(composer, add);
document.querySelector('main').append(answers, composer);

Object.assign(window, {
  tray,
  readAttachment,
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
