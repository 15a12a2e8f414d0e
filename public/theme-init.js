// Runs before the first paint, so that a chosen theme does not flash the other one. The theme is all that is ever stored.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be blocked; the system's theme is used then.
}
