// Runs before the first paint, so that the wrong theme is never visible. The pages store nothing else in the browser.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be blocked. Then the theme of the system is used.
}
