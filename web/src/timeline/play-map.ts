import { isFields } from '../product/product';

/** A stretch of the show, in show time. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Reads a list of stretches; what is none is left out. */
export function readStretches(v: unknown): Stretch[] {
  if (!Array.isArray(v)) return [];
  return v.flatMap((s: unknown) => {
    if (!isFields(s) || typeof s.from_ms !== 'number' || typeof s.to_ms !== 'number' || s.to_ms <= s.from_ms) return [];
    return [{ fromMs: s.from_ms, toMs: s.to_ms }];
  });
}

/**
 * Maps a player's position to show time and back. A recording plays as a row of stretches of the show: one where nothing
 * was taken out, so that both are equal. What lies inside the last segment of a stretch and is not wanted is skipped.
 */
export class PlayMap {
  constructor(
    private readonly played: readonly Stretch[] = [],
    private readonly cuts: readonly Stretch[] = [],
  ) {}

  /** How long the media is, null where it is not known. */
  get durationMs(): number | null {
    return this.played.length === 0 ? null : this.played.reduce((sum, s) => sum + s.toMs - s.fromMs, 0);
  }

  toShow(playMs: number): number {
    let left = playMs;
    for (const [i, s] of this.played.entries()) {
      const length = s.toMs - s.fromMs;
      if (left < length || i === this.played.length - 1) return s.fromMs + left;
      left -= length;
    }
    return playMs;
  }

  /** Where an instant of the show is played; one that is not comes with the next that is. */
  toPlay(showMs: number): number {
    if (this.played.length === 0) return showMs;
    let before = 0;
    for (const s of this.played) {
      if (showMs < s.fromMs) return before;
      if (showMs < s.toMs) return before + showMs - s.fromMs;
      before += s.toMs - s.fromMs;
    }
    return before;
  }

  /** Where to go on from an instant that was cut out, null where it was not. */
  skip(showMs: number): number | null {
    const cut = this.cuts.find((c) => c.fromMs <= showMs && showMs < c.toMs);
    return cut ? this.toPlay(cut.toMs) : null;
  }
}
