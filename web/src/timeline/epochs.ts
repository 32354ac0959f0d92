/** Where an uninterrupted publish begins: its first sample stands at showMs, and at this instant on the wall clock. */
export interface Epoch {
  readonly showMs: number;
  readonly wallMs: number;
}

/** A stretch of a playlist with one date: a segment, in the order of the playlist. */
export interface DatedSegment {
  readonly cc: number; // discontinuity counter
  readonly wallMs: number; // PROGRAM-DATE-TIME
  readonly durationMs: number;
}

/** Two accounts of one epoch never differ by this much, two epochs always do: a reconnect takes longer. */
const sameEpochMs = 200;

/**
 * Maps wall dates to show time. What the server says about epochs is the truth; what is learned from a playlist fills
 * in what it has not said yet, or cannot say because the channel is down.
 */
export class Epochs {
  private told: readonly Epoch[] = [];
  private learned: Epoch[] = [];
  private all: readonly Epoch[] = [];

  get known(): boolean {
    return this.all.length > 0;
  }

  list(): readonly Epoch[] {
    return this.all;
  }

  clear(): void {
    this.told = [];
    this.learned = [];
    this.all = [];
  }

  /** Takes the server's list. It may be shorter than an earlier one only after clear(). */
  tell(epochs: readonly Epoch[]): void {
    if (epochs.length >= this.told.length) this.told = epochs;
    this.merge();
  }

  /** Takes one point of the mapping, such as the date and the show time of a pin in a playlist. */
  anchor(point: Epoch): void {
    const show = this.showAt(point.wallMs);
    if (show !== null && Math.abs(show - point.showMs) < 2) return;
    this.learned.push(point);
    this.merge();
  }

  /** Learns epochs from a playlist: show time runs on over a discontinuity, dates need not. */
  learn(segments: readonly DatedSegment[]): void {
    for (let i = 1; i < segments.length; i++) {
      const before = segments[i - 1];
      const first = segments[i];
      if (!before || !first || before.cc === first.cc || this.begins(first.wallMs)) continue;
      const shownBefore = this.showAt(before.wallMs);
      if (shownBefore === null) continue;
      this.anchor({ wallMs: first.wallMs, showMs: shownBefore + before.durationMs });
    }
  }

  /**
   * The show time of a wall date, null while no epoch is known. A date in a gap between two epochs stands at the gap's
   * one instant; a date before the first epoch is counted back from it.
   */
  showAt(wallMs: number): number | null {
    let at = 0;
    this.all.forEach((e, i) => {
      if (e.wallMs <= wallMs) at = i;
    });
    const epoch = this.all[at];
    if (!epoch) return null;
    const show = epoch.showMs + (wallMs - epoch.wallMs);
    const next = this.all[at + 1];
    return next ? Math.min(show, next.showMs) : show;
  }

  private begins(wallMs: number): boolean {
    return this.all.some((e) => Math.abs(e.wallMs - wallMs) < sameEpochMs);
  }

  private merge(): void {
    const extra = this.learned.filter((l) => !this.told.some((t) => Math.abs(t.wallMs - l.wallMs) < sameEpochMs));
    this.all = [...this.told, ...extra].sort((a, b) => a.wallMs - b.wallMs);
  }
}
