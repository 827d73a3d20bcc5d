import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { html, Markup } from './markup.js';

type PlotOptions = Parameters<typeof Plot.plot>[0];

/** What a plot is once it is drawn, whatever document it was drawn in. */
interface Drawn {
  readonly outerHTML: string;
}

/**
 * Draws a plot as static SVG markup, without a browser. Colours are CSS variables of the page, so that one drawing serves the light and
 * the dark theme.
 *
 * @param description for those who cannot see it
 */
export function drawn(options: PlotOptions, description: string): Markup {
  const page: { readonly document: unknown } = parseHTML('<!doctype html><html><body></body></html>');
  const element: unknown = Plot.plot({
    ...options,
    opacity: { type: 'identity' },
    document: page.document as Document,
    className: 'plot',
  });
  return compact((element as Drawn).outerHTML, description);
}

/** A mark that is one SVG element with these attributes, in pixels of the drawing. */
export function drawnMark(name: string, attributes: Readonly<Record<string, string>>): Plot.Markish {
  return (_index, _scales, _values, _dimensions, { document }) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
}

/**
 * One image to those who cannot see it, instead of its hundred parts; the style that each plot repeats is the page's; and coordinates
 * are of a hundredth of a pixel.
 */
function compact(svg: string, description: string): Markup {
  const parts = svg
    .replace(/<style>[^<]*<\/style>/, '')
    .replace(/ aria-(?:label|hidden|description)="[^"]*"/g, '')
    .replace(/="[^"<>]*\.\d{3}[^"<>]*"/g, (attribute) =>
      attribute.replace(/\d+\.\d{3,}/g, (number) => String(Number(Number(number).toFixed(2)))),
    )
    .slice('<svg'.length);
  return html`<svg role="img" aria-label="${description}" ${new Markup(parts)}`;
}
