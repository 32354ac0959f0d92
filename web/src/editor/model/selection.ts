import type { Stretch } from '../../timeline/play-map';

/** What is chosen of the show. Either end may be missing until it is set. */
export interface Selection {
  readonly inMs: number | null;
  readonly outMs: number | null;
}

export const nothing: Selection = { inMs: null, outMs: null };

/** The shortest that can be chosen. */
export const shortestMs = 100;

/** The stretch that is chosen, null while an end is missing. */
export function chosen(s: Selection): Stretch | null {
  return s.inMs !== null && s.outMs !== null && s.outMs > s.inMs ? { fromMs: s.inMs, toMs: s.outMs } : null;
}

export const choose = (s: Stretch): Selection => ({ inMs: Math.round(s.fromMs), outMs: Math.round(s.toMs) });

/** Sets the in-point; an out-point that would not be behind it is given up. */
export function setIn(s: Selection, ms: number): Selection {
  const inMs = Math.round(ms);
  return { inMs, outMs: s.outMs !== null && s.outMs - inMs >= shortestMs ? s.outMs : null };
}

export function setOut(s: Selection, ms: number): Selection {
  const outMs = Math.round(ms);
  return { outMs, inMs: s.inMs !== null && outMs - s.inMs >= shortestMs ? s.inMs : null };
}

export type Edge = 'in' | 'out';

/** Moves an end with the pointer or the keys; it stops at the other one and at the ends of the show. */
export function move(s: Selection, edge: Edge, ms: number, durationMs: number): Selection {
  const at = Math.round(Math.min(Math.max(0, ms), durationMs));
  if (edge === 'in') return { ...s, inMs: s.outMs === null ? at : Math.max(0, Math.min(at, s.outMs - shortestMs)) };
  return { ...s, outMs: s.inMs === null ? at : Math.min(durationMs, Math.max(at, s.inMs + shortestMs)) };
}

/** What of the cuts lies within a stretch. */
export function within(cuts: readonly Stretch[], s: Stretch): Stretch[] {
  return cuts.filter((c) => c.fromMs < s.toMs && s.fromMs < c.toMs);
}

/** Whether all of a stretch is cut out already. */
export function allCut(cuts: readonly Stretch[], s: Stretch): boolean {
  return cuts.some((c) => c.fromMs <= s.fromMs && s.toMs <= c.toMs);
}
