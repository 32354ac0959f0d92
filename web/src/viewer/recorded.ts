import { backoff } from '../channel/backoff';
import { chaptersOf, type Chapter } from '../timeline/chapters';
import { PlayMap } from '../timeline/play-map';
import type { Tile } from '../timeline/storyboard';
import type { Timeline } from '../timeline/timeline';
import type { Playing } from './phase';
import { fetchChapters, fetchSidecar, fetchStoryboard } from './room-api';

const tries = 6;
const spreadMs = 3_000; // thousands of viewers begin to watch in the same instant
const againMs = 45_000; // what grows while a show is on air is read anew

/** What belongs to one show beside its media: where it was cut, its chapters, its small pictures. */
export class Recorded {
  map = new PlayMap();
  tiles: readonly Tile[] = [];
  durationMs = 0;
  private told: readonly Chapter[] | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private over = false;

  constructor(
    readonly playing: Playing,
    private readonly timeline: Timeline,
    private readonly onChange: () => void,
  ) {
    if (playing.kind === 'live') {
      this.timer = setTimeout(() => void this.loadChapters(), Math.random() * spreadMs);
      return;
    }
    void this.loadSidecar(0);
    void this.loadMore();
  }

  close(): void {
    this.over = true;
    clearTimeout(this.timer);
  }

  /** The chapters. What the merchant made of an ended show counts; one on air has its pins besides. */
  chapters(durationMs: number): Chapter[] {
    const { told } = this;
    if (told && this.playing.kind === 'replay') return [...told];
    const known = new Set(told?.map((c) => c.id));
    const more = chaptersOf(this.timeline.pins(), durationMs, this.map).filter((c) => !known.has(c.id));
    return [...(told ?? []), ...more].sort((a, b) => a.startMs - b.startMs);
  }

  private async loadSidecar(attempt: number): Promise<void> {
    const { showId } = this.playing;
    try {
      const sidecar = await fetchSidecar(showId);
      if (this.over) return;
      this.timeline.epochs.tell(sidecar.epochs);
      sidecar.events.forEach((e) => this.timeline.event(e));
      this.map = sidecar.map;
      this.durationMs = sidecar.map.durationMs ?? sidecar.durationMs;
      this.onChange();
    } catch {
      if (attempt < tries && !this.over) this.timer = setTimeout(() => void this.loadSidecar(attempt + 1), backoff(attempt, Math.random, 1_000));
    }
  }

  /** What a show can be watched without. */
  private async loadMore(): Promise<void> {
    const [, tiles] = await Promise.all([this.loadChapters(), fetchStoryboard(this.playing.showId).catch(() => [])]);
    if (this.over) return;
    if (tiles.length > 0) this.tiles = tiles;
    if (this.playing.kind === 'shift') setTimeout(() => !this.over && void this.loadMore(), againMs);
    this.onChange();
  }

  private async loadChapters(): Promise<void> {
    const told = await fetchChapters(this.playing.showId).catch(() => null);
    if (this.over || !told) return;
    this.told = told;
    this.onChange();
  }
}
