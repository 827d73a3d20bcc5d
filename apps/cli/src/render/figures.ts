import type { UnboundedFigure } from '@fidelis/contracts';

/** Numbers for people. All of them are the same on every machine: English separators, whatever the locale. */

const WHOLE = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

export function whole(value: number): string {
  return WHOLE.format(value);
}

/** @param fraction 0…1 */
export function percent(fraction: number, digits = 2): string {
  return `${(fraction * 100).toFixed(digits)} %`;
}

export function decimal(value: number, digits = 4): string {
  return value.toFixed(digits);
}

/** A figure that has a value unless it is infinite. */
export function unbounded(value: UnboundedFigure): string {
  return typeof value === 'number' ? decimal(value) : '∞';
}

/** A figure that may have no value, or was not measured. */
export function optional(value: number | null, format: (value: number) => string): string {
  return value === null ? '–' : format(value);
}

/** "4.2 s", "1 min 05 s", "2 h 03 min". */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const rounded = Math.round(seconds);
  if (rounded < 60) return `${rounded} s`;
  const minutes = Math.floor(rounded / 60);
  if (minutes < 60) return `${minutes} min ${two(rounded % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** "0 B", "1.1 MiB". */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), BYTE_UNITS.length - 1);
  const value = bytes / 1_024 ** power;
  return `${power === 0 ? whole(value) : value.toFixed(1)} ${BYTE_UNITS[power] ?? 'B'}`;
}

/** "2026-01-31 12:00:05" in UTC. */
export function moment(timestamp: string | null): string {
  return timestamp === null ? '–' : timestamp.slice(0, 19).replace('T', ' ');
}
