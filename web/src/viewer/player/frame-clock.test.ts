import { describe, expect, it } from 'vitest';
import { FramePeriod } from './frame-clock';

function shown(fps: number, frames: number, drop: (i: number) => boolean = () => false): FramePeriod {
  const period = new FramePeriod();
  for (let i = 0; i < frames; i++) if (!drop(i)) period.add(10 + i / fps, 100 + i);
  return period;
}

describe('FramePeriod', () => {
  it.each([
    [24, 1000 / 24],
    [25, 40],
    [30, 1000 / 30],
    [60, 1000 / 60],
  ])('measures %d frames a second', (fps, want) => {
    expect(shown(fps, 60).ms).toBeCloseTo(want, 6);
  });

  it('is not misled by dropped frames', () => {
    expect(shown(25, 100, (i) => i % 3 === 0).ms).toBeCloseTo(40, 6);
  });

  it('is not misled by a seek', () => {
    const period = shown(25, 30);
    period.add(500, 130);
    period.add(500.04, 131);
    expect(period.ms).toBeCloseTo(40, 6);
  });

  it('assumes 30 frames a second until it knows', () => {
    expect(shown(25, 3).ms).toBeCloseTo(33.33, 1);
  });

  it.each([
    [25, true, 48],
    [30, true, 41.33],
    [60, true, 20.83],
    [30, false, 8],
  ])('fires one frame early at %d fps (moving: %s)', (fps, moving, want) => {
    expect(shown(fps, 60).aheadMs(moving)).toBeCloseTo(want, 1);
  });

  it('never reaches the frame before the last one', () => {
    for (const fps of [15, 24, 25, 30, 50, 60]) {
      const period = shown(fps, 60);
      expect(period.aheadMs(true)).toBeLessThan(2 * period.ms);
    }
  });
});
