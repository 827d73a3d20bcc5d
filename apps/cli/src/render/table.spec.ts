import { expect, it } from 'vitest';
import { duration, percent, whole } from './figures.js';
import { createStyle } from './style.js';
import { renderTable } from './table.js';

const COLUMNS = [{ title: '' }, { title: 'teacher', align: 'right' }] as const;

it('columns are as wide as their widest cell, coloured or not', () => {
  const rows = [
    ['accuracy', '84.10 %'],
    ['NLL', '0.5'],
  ];
  const expected = ['          teacher', '────────  ───────', 'accuracy  84.10 %', 'NLL           0.5'].join(
    '\n',
  );
  expect(renderTable(COLUMNS, rows, createStyle(false))).toBe(expected);
  const escape = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
  expect(renderTable(COLUMNS, rows, createStyle(true)).replaceAll(escape, '')).toBe(expected);
});

it.each([
  [duration(4.24), '4.2 s'],
  [duration(9.97), '10 s'],
  [duration(65), '1 min 05 s'],
  [duration(7_380), '2 h 03 min'],
  [percent(0.96401), '96.40 %'],
  [whole(1407.4), '1,407'],
])('figures for people: %s', (text, expected) => {
  expect(text).toBe(expected);
});
