import { expect, it } from 'vitest';
import { position } from './time';

it.each([
  [0, '0:00'],
  [999, '0:00'],
  [65_000, '1:05'],
  [3_599_999, '59:59'],
  [3_723_000, '1:02:03'],
  [-5, '0:00'],
  [NaN, '0:00'],
])('%d ms is %s', (ms, want) => {
  expect(position(ms)).toBe(want);
});
