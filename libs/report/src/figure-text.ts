import type { FigureUnit } from './figure-names.js';

const WHOLE = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

export function wholeText(value: number): string {
  return WHOLE.format(value);
}

/** A figure for people; `absent` is a figure that was not computed. A null KL or NLL is +∞, any other null has no value. */
export function figureText(value: number | null | undefined, unit: FigureUnit, absent = '–'): string {
  if (value === undefined) return absent;
  if (value === null) return unit === 'nats' ? '∞' : 'n/a';
  return unit === 'share' ? `${(value * 100).toFixed(2)} %` : decimalText(value);
}

export function intervalText([low, high]: readonly [number, number], unit: FigureUnit): string {
  return unit === 'share'
    ? `${(low * 100).toFixed(2)} – ${(high * 100).toFixed(2)} %`
    : `${decimalText(low)} – ${decimalText(high)}`;
}

/** Four decimals; small figures keep three significant digits. */
function decimalText(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || size >= 0.001) return value.toFixed(4);
  return value.toExponential(2);
}

/** "0.031", "< 0.0001". */
export function probabilityText(value: number): string {
  return value < 0.0001 ? '< 0.0001' : value.toFixed(4);
}
