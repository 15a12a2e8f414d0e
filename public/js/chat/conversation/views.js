/** Loads what shows messages: an empty chat does without it. */
import { loadStyles } from '../../lib/styles.js';

/**
 * @param {Parameters<typeof import('./media.js').createMedia>[0]} options
 */
export async function loadViews(options) {
  const [{ createAnswer }, { createUserMessage }, { createMedia }] = await Promise.all([
    import('./answer.js'),
    import('./user-message.js'),
    import('./media.js'),
    loadStyles('chat-render.css'),
  ]);
  return { createAnswer, createUserMessage, media: createMedia(options) };
}
