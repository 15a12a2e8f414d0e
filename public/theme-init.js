// Runs before the first paint, so that the wrong theme is never visible. The chat keeps its chats in IndexedDB; the pages store nothing else.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be blocked. Then the theme of the system is used.
}
