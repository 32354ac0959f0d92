import type { Stretch } from '../../timeline/play-map';

/** The nearest of the points within a reach, else the instant itself. */
export function snap(ms: number, points: readonly number[], reachMs: number): number {
  let best = ms;
  let off = reachMs;
  for (const p of points) {
    const d = Math.abs(p - ms);
    if (d <= off) [best, off] = [p, d];
  }
  return best;
}

/** Where stretches begin and end, once each. */
export function edges(...lists: readonly (readonly Stretch[])[]): number[] {
  return [...new Set(lists.flat().flatMap((s) => [s.fromMs, s.toMs]))];
}
