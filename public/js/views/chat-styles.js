/**
 * Sets `--chat-top` to the position of the chat on the page, so that the chat fills the rest of the window.
 * @param {HTMLElement} element
 */
export function watchChatTop(element) {
  const measure = () => {
    if (element.clientWidth === 0) return;
    const top = Math.round(element.getBoundingClientRect().top + scrollY);
    element.style.setProperty('--chat-top', `${top}px`);
  };
  new ResizeObserver(measure).observe(element);
  addEventListener('resize', measure);
}
