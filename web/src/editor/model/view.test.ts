import { describe, expect, it } from 'vitest';
import { closest, fit, fits, follow, frame, reshape, scrollTo, ticks, toMs, toPx, untilMs, zoom } from './view';

const show = fit(100_000, 1_000);

describe('the axis', () => {
  it('begins with the whole show', () => {
    expect(fits(show)).toBe(true);
    expect(toPx(show, 50_000)).toBe(500);
    expect(toMs(show, 1_200)).toBe(100_000);
  });

  it('keeps what stands under the pointer where it is', () => {
    const near = zoom(show, 4, 300);
    expect(toMs(near, 300)).toBeCloseTo(30_000);
    expect(toMs(zoom(near, 1 / 2, 300), 300)).toBeCloseTo(30_000);
  });

  it('neither goes nearer than frames nor farther than the show', () => {
    expect(closest(zoom(show, 1e6, 0))).toBe(true);
    expect(zoom(show, 1e-6, 0)).toEqual(show);
    expect(zoom(zoom(show, 8, 900), 1 / 8, 0)).toEqual(show);
  });

  it('does not scroll beyond the ends', () => {
    const near = zoom(show, 10, 0);
    expect(scrollTo(near, -5).fromMs).toBe(0);
    expect(untilMs(scrollTo(near, 1e9))).toBe(100_000);
  });

  it('keeps all of a show in sight that grows, and a near look where it is', () => {
    expect(reshape(show, 200_000, 1_000)).toEqual(fit(200_000, 1_000));
    const near = zoom(show, 10, 500);
    expect(reshape(near, 200_000, 800)).toMatchObject({ msPerPx: near.msPerPx, fromMs: near.fromMs });
    expect(fit(0, 0).msPerPx).toBeGreaterThan(0);
  });

  it('turns the page for a playhead that leaves it', () => {
    const near = zoom(show, 10, 0);
    expect(follow(near, 5_000)).toBe(near);
    const turned = follow(near, 40_000);
    expect(toPx(turned, 40_000)).toBeCloseTo(100);
  });

  it('frames a stretch with room beside it', () => {
    const v = frame(show, { fromMs: 40_000, toMs: 50_000 });
    expect(toPx(v, 40_000)).toBeCloseTo(100);
    expect(toPx(v, 50_000)).toBeCloseTo(900);
  });

  it.each([1, 3, 17, 200])('has labels that stand apart at zoom %d', (factor) => {
    for (const show4h of [fit(4 * 3_600_000, 1_250), fit(8_000, 360)]) {
      const v = zoom(show4h, factor, 100);
      const { stepMs, list } = ticks(v);
      expect(stepMs / v.msPerPx).toBeGreaterThanOrEqual(80);
      expect(list.length).toBeLessThan(100);
      expect(list.filter((t) => t.major).every((t) => Math.abs(t.ms % stepMs) < 1e-6)).toBe(true);
    }
  });
});
