/** Messages between the tabs of this browser: `signed-in` and `signed-out`, never a secret. */
export const sessionChannel = new BroadcastChannel('ipin-session');

/** Tells the other tabs that the person has signed in, so that they close their dialogs. */
export function announceSignIn() {
  sessionChannel.postMessage('signed-in');
}
