import { html, type Markup } from '../markup.js';

/** A table in a frame that scrolls where it is too wide, or (tall) too long, by keyboard too. */
export function scrollable(label: string, table: Markup, tall = false): Markup {
  const name = tall ? 'scroll tall' : 'scroll';
  return html`<section class="${name}" aria-label="${label}" tabindex="0">${table}</section>`;
}
