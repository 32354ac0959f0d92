import { expect, it } from 'vitest';
import { PlayMap, readStretches } from './play-map';

it('is the identity where nothing is known or cut', () => {
  expect(new PlayMap().toShow(1234)).toBe(1234);
  expect(new PlayMap().toPlay(1234)).toBe(1234);
  expect(new PlayMap().durationMs).toBeNull();
  const whole = new PlayMap([{ fromMs: 0, toMs: 9000 }]);
  expect([whole.toShow(4000), whole.toPlay(4000), whole.durationMs]).toEqual([4000, 4000, 9000]);
});

it('leaves out what was cut', () => {
  const m = new PlayMap([{ fromMs: 0, toMs: 10_000 }, { fromMs: 20_000, toMs: 30_000 }], [{ fromMs: 9_000, toMs: 21_000 }]);
  expect(m.durationMs).toBe(20_000);
  expect([0, 9_999, 10_000, 19_999, 25_000].map((t) => m.toShow(t))).toEqual([0, 9_999, 20_000, 29_999, 35_000]);
  expect([0, 9_999, 15_000, 20_000, 29_000, 99_000].map((t) => m.toPlay(t))).toEqual([0, 9_999, 10_000, 10_000, 19_000, 20_000]);
  expect([8_999, 9_000, 20_999, 21_000].map((t) => m.skip(t))).toEqual([null, 11_000, 11_000, null]);
});

it('goes there and back', () => {
  const m = new PlayMap([{ fromMs: 500, toMs: 700 }, { fromMs: 900, toMs: 1000 }, { fromMs: 4000, toMs: 9000 }]);
  for (let t = 0; t < 5300; t += 37) expect(m.toPlay(m.toShow(t))).toBe(t);
});

it('reads stretches and nothing else', () => {
  expect(readStretches([{ from_ms: 1, to_ms: 2 }, { from_ms: 3, to_ms: 3 }, { from_ms: '1', to_ms: 2 }, null])).toEqual([{ fromMs: 1, toMs: 2 }]);
  expect(readStretches('x')).toEqual([]);
});
