import { pageUrl } from '../lib/api.js';
import { openDialog } from '../lib/dialog.js';
import { h } from '../lib/h.js';
import { LOOPBACK, welcomeMessage } from '../lib/snippet-texts.js';
import { messageCard } from './message-card.js';

/**
 * Gives the message for a user who was just added, while the password is still known.
 * @param {import('../lib/types.js').User} user
 * @param {string} password
 */
export async function showCreatedUser({ username, name }, password) {
  const person = name || username;
  const done = h(
    'button',
    { type: 'button', class: 'btn primary', onclick: () => void dialog.tryClose() },
    'Done',
  );
  const dialog = openDialog({
    title: `${username} is added`,
    body: [
      h(
        'div',
        { class: 'stack' },
        h('p', { class: 'muted' }, 'Tell them how to sign in. The password cannot be shown again later.'),
        messageCard({
          title: `For ${person}`,
          content: 'A message with address, username and password',
          text: welcomeMessage({ username, person, password }),
          isOpen: true,
        }),
        LOOPBACK.test(location.hostname) &&
          h(
            'p',
            { class: 'small muted wrap-anywhere' },
            `${pageUrl('')} works on this computer only: for other computers write its name or address into the message.`,
          ),
      ),
    ],
    footer: [done],
  });
  done.focus();
  await dialog.closed;
}
