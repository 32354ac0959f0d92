import { expect, it } from 'vitest';
import { allCut, choose, chosen, move, nothing, setIn, setOut, within } from './selection';
import { edges, snap } from './snap';

it('is complete when both ends are set', () => {
  expect(chosen(nothing)).toBeNull();
  expect(chosen(setIn(nothing, 1_000))).toBeNull();
  expect(chosen(setOut(setIn(nothing, 1_000.4), 2_000))).toEqual({ fromMs: 1_000, toMs: 2_000 });
});

it('gives up the end that a new one passes', () => {
  const s = choose({ fromMs: 1_000, toMs: 2_000 });
  expect(setIn(s, 2_500)).toEqual({ inMs: 2_500, outMs: null });
  expect(setOut(s, 900)).toEqual({ inMs: null, outMs: 900 });
  expect(setIn(s, 1_500)).toEqual({ inMs: 1_500, outMs: 2_000 });
});

it('stops a handle at the other one and at the ends of the show', () => {
  const s = choose({ fromMs: 1_000, toMs: 2_000 });
  expect(move(s, 'in', 5_000, 10_000).inMs).toBe(1_900);
  expect(move(s, 'out', 0, 10_000).outMs).toBe(1_100);
  expect(move(s, 'in', -50, 10_000).inMs).toBe(0);
  expect(move(s, 'out', 50_000, 10_000).outMs).toBe(10_000);
});

it('knows what of it is cut', () => {
  const cuts = [{ fromMs: 0, toMs: 500 }, { fromMs: 1_000, toMs: 2_000 }];
  expect(within(cuts, { fromMs: 500, toMs: 1_000 })).toEqual([]);
  expect(within(cuts, { fromMs: 400, toMs: 1_001 })).toEqual(cuts);
  expect(allCut(cuts, { fromMs: 1_200, toMs: 2_000 })).toBe(true);
  expect(allCut(cuts, { fromMs: 900, toMs: 1_500 })).toBe(false);
});

it('snaps to the nearest edge within reach', () => {
  const points = edges([{ fromMs: 0, toMs: 1_000 }], [{ fromMs: 1_000, toMs: 1_080 }]);
  expect(points).toEqual([0, 1_000, 1_080]);
  expect(snap(1_050, points, 60)).toBe(1_080);
  expect(snap(1_030, points, 60)).toBe(1_000);
  expect(snap(1_200, points, 60)).toBe(1_200);
});
