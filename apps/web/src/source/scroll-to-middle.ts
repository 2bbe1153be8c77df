/** Scrolls a frame until what is inside of it is in its middle. Nothing around the frame moves, as it would with `scrollIntoView`. */
export function scrollToMiddle(frame: Element, inside: Element): void {
  const outer = frame.getBoundingClientRect();
  const inner = inside.getBoundingClientRect();
  frame.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
}
