import { Markup } from './markup.js';

/** The page's only style sheet. Every colour is a variable with a value for each theme. */
export const PAGE_STYLE = new Markup(`
:root { color-scheme: light dark; --surface: #fcfcfb; --panel: #ffffff; --ink: #1d2126; --muted: #5b636d; --line: #d9dde2; --bar: #3b73b9;
  --gap: #d0532b; --heat: #a8322d; --tint: #dfe9f5; }
@media screen and (prefers-color-scheme: dark) { :root { --surface: #14171b; --panel: #1b1f25; --ink: #e6e9ed; --muted: #9aa4b0; --line: #353c45;
  --bar: #6ea3e0; --gap: #f08a5d; --heat: #ff7a66; --tint: #26384d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--surface); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 44px 0 10px; }
h3 { font-size: 15px; margin: 0 0 6px; overflow-wrap: anywhere; }
p { margin: 0 0 10px; max-width: 78ch; }
.facts, .note, small, figcaption { color: var(--muted); }
.note, figcaption, small { font-size: 13px; }
.lead { font-size: 17px; margin-top: 18px; }
.scroll { overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
.tall { max-height: 560px; overflow-y: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 12px; text-align: right; vertical-align: top; border-top: 1px solid var(--line); white-space: nowrap; }
th:first-child, .text { text-align: left; }
.scroll:focus-visible { outline: 2px solid var(--bar); }
tbody th { font-weight: 400; }
thead th { position: sticky; top: 0; background: var(--panel); font-weight: 600; border-top: 0; box-shadow: 0 1px 0 var(--line); }
thead td { border-top: 0; }
.group th { font-weight: 600; background: var(--surface); }
.interval { display: block; color: var(--muted); font-size: 12px; }
.share { background: linear-gradient(90deg, var(--tint) var(--share), transparent 0) no-repeat; }
.charts { display: flex; align-items: flex-start; flex-wrap: wrap; gap: 20px; }
figure { margin: 0; padding: 14px; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
figcaption { max-width: 600px; }
.beside { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
.beside > div { flex: 1 1 340px; }
.key { display: inline-block; width: 12px; height: 12px; vertical-align: -1px; margin: 0 4px 0 10px; background: var(--bar); }
.key.first { margin-left: 0; }
.key.gap { background: color-mix(in srgb, var(--gap) 45%, transparent); border: 1px solid var(--gap); }
.plot { display: block; max-width: 100%; height: auto; color: var(--muted); }
.plot text, .plot tspan { white-space: pre; }
dt { font-weight: 600; margin-top: 8px; }
dd { margin: 0; max-width: 78ch; color: var(--muted); }
@media (max-width: 640px) { main { padding: 20px 14px 48px; } h1 { font-size: 22px; } th, td { padding: 5px 8px; } }
@media print { :root { color-scheme: light; print-color-adjust: exact; -webkit-print-color-adjust: exact; } body { font-size: 11px; } main { max-width: none; padding: 0; }
  .tall { max-height: none; } .scroll { overflow: visible; } th, td { padding: 3px 6px; } thead th { position: static; }
  figure, tr, dt { break-inside: avoid; } h2, h3, dt { break-after: avoid; } }
`);
