// Reads texts with the panel's Markdown readers, in a thread that can be ended while it reads. Answers with the length of what
// came out. No TypeScript: the loader of the tests does not reach into threads on Node 20.
import { parentPort } from 'node:worker_threads';
import { parseBlocks } from '../../public/js/chat/render/block-stream.js';
import { parseInline } from '../../public/js/chat/render/inline.js';

const READERS = {
  blocks: parseBlocks,
  inline: parseInline,
  json: (text) => JSON.stringify(parseBlocks(text)),
};

parentPort.on('message', ({ reader, text }) => parentPort.postMessage(READERS[reader](text).length));
