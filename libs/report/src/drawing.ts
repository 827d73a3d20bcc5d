import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { Markup } from './markup.js';

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
    document: page.document as Document,
    className: 'plot',
    ariaLabel: description,
  });
  return new Markup((element as Drawn).outerHTML);
}
