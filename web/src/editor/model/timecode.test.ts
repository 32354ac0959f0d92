import { expect, it } from 'vitest';
import { lengthText, parseTimecode, rulerText, timecode } from './timecode';

it.each([[0, '0:00.000'], [65_250, '1:05.250'], [3_723_004, '1:02:03.004'], [59_999.6, '1:00.000'], [-4, '0:00.000']])('%d ms is %s', (ms, want) => {
  expect(timecode(ms)).toBe(want);
});

it.each([
  ['1:05.25', 65_250], ['65.25', 65_250], ['1:02:03', 3_723_000], ['90', 90_000], [' 0:07,5 ', 7_500], ['1：05', 65_000],
  ['', null], ['1:75', null], ['1:60:00', null], ['-3', null], ['abc', null], ['1:2:3:4', null], ['3.', null],
])('%j is %s', (text, want) => {
  expect(parseTimecode(text)).toBe(want);
});

it('reads what it writes', () => {
  for (const ms of [0, 1, 999, 60_000, 3_599_999, 14_400_123]) expect(parseTimecode(timecode(ms))).toBe(ms);
});

it('says lengths and labels shortly', () => {
  expect([lengthText(840), lengthText(33_333), lengthText(59_980), lengthText(304_000), lengthText(3_723_000)]).toEqual(['0.8 s', '33.3 s', '60.0 s', '5:04', '1:02:03']);
  expect([rulerText(65_000, 5_000), rulerText(65_200, 200)]).toEqual(['1:05', '1:05.2']);
});
