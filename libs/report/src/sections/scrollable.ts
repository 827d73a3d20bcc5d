import { html, type Markup } from '../markup.js';

/** A table in a frame that scrolls where it is too wide, or (tall) too long, by keyboard too. */
export function scrollable(label: string, table: Markup, tall = false): Markup {
  return html`<div
    class="${tall ? 'scroll tall' : 'scroll'}"
   
    aria-label="${label}"
    tabindex="0"
  >
    ${table}
  </section>`;
}
