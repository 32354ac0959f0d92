import type { Stretch } from '../../timeline/play-map';

/** What of a show the axis has before it: where it begins, and how much time a pixel stands for. */
export interface View {
  readonly durationMs: number;
  readonly widthPx: number;
  readonly msPerPx: number;
  readonly fromMs: number;
}

/** The closest look: a frame of 30 a second is seven pixels wide. */
const closestMsPerPx = 5;

const clamp = (v: number, low: number, high: number): number => Math.min(Math.max(v, low), Math.max(low, high));
const farthest = (durationMs: number, widthPx: number): number => Math.max(closestMsPerPx, durationMs / Math.max(1, widthPx));

/** The whole show at once. */
export function fit(durationMs: number, widthPx: number): View {
  return { durationMs, widthPx, msPerPx: farthest(durationMs, widthPx), fromMs: 0 };
}

export const fits = (v: View): boolean => v.msPerPx >= farthest(v.durationMs, v.widthPx);
export const closest = (v: View): boolean => v.msPerPx <= closestMsPerPx;
export const toPx = (v: View, ms: number): number => (ms - v.fromMs) / v.msPerPx;
export const toMs = (v: View, px: number): number => clamp(v.fromMs + px * v.msPerPx, 0, v.durationMs);
export const untilMs = (v: View): number => v.fromMs + v.widthPx * v.msPerPx;

export function scrollTo(v: View, fromMs: number): View {
  return { ...v, fromMs: clamp(fromMs, 0, v.durationMs - v.widthPx * v.msPerPx) };
}

/** Looks closer (factor over 1) or from farther away; what stands at a pixel stays there. */
export function zoom(v: View, factor: number, atPx: number): View {
  const at = v.fromMs + atPx * v.msPerPx;
  const msPerPx = clamp(v.msPerPx / factor, closestMsPerPx, farthest(v.durationMs, v.widthPx));
  return scrollTo({ ...v, msPerPx }, at - atPx * msPerPx);
}

/** The same look at a show that has grown, or in a window of another size. Who saw all of it sees all of it. */
export function reshape(v: View, durationMs: number, widthPx: number): View {
  if (fits(v)) return fit(durationMs, widthPx);
  const msPerPx = clamp(v.msPerPx, closestMsPerPx, farthest(durationMs, widthPx));
  return scrollTo({ durationMs, widthPx, msPerPx, fromMs: v.fromMs }, v.fromMs);
}

/** Brings an instant into sight; a playhead that runs out of it turns the page. */
export function follow(v: View, ms: number): View {
  const span = v.widthPx * v.msPerPx;
  if (ms >= v.fromMs && ms <= v.fromMs + span) return v;
  return scrollTo(v, ms - span * 0.1);
}

/** Shows a stretch with some room at both sides. */
export function frame(v: View, s: Stretch): View {
  const span = Math.max(s.toMs - s.fromMs, closestMsPerPx * v.widthPx) * 1.25;
  const msPerPx = clamp(span / Math.max(1, v.widthPx), closestMsPerPx, farthest(v.durationMs, v.widthPx));
  return scrollTo({ ...v, msPerPx }, (s.fromMs + s.toMs) / 2 - (v.widthPx * msPerPx) / 2);
}

const steps = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000];

export interface Tick {
  readonly ms: number;
  readonly major: boolean;
}

/** The marks of the ruler: labels stand at least 80 pixels apart, four small marks between two. */
export function ticks(v: View, labelPx = 80): { readonly stepMs: number; readonly list: readonly Tick[] } {
  const stepMs = steps.find((s) => s / v.msPerPx >= labelPx) ?? 14_400_000;
  const minor = stepMs / 5;
  const list: Tick[] = [];
  const end = Math.min(untilMs(v), v.durationMs);
  for (let n = Math.floor(v.fromMs / minor); n * minor <= end; n++) list.push({ ms: n * minor, major: n % 5 === 0 });
  return { stepMs, list };
}
