import type { Playing } from './phase';
import type { FrameTick } from './player/frame-clock';
import type { Player } from './player/player';
import type { DatedSegment } from '../timeline/epochs';
import { PlayMap } from '../timeline/play-map';
import { visiblePins, type Pin } from '../timeline/pins';
import type { PinRange, Timeline } from '../timeline/timeline';
import type { Cards } from './ui/cards';

/** Cards are made this long before their time. */
const prepareMs = 30_000;
const prepareEveryMs = 500;
/** The card that comes next is put in its place this long before. */
const armMs = 1_500;

/** What the track needs of a room, or of what stands in its place. */
export interface Stages {
  timeline(showId: string): Timeline;
  serverNow(): number | null;
  serverPassed(instantMs: number): void;
}

/** Where the picture stands: of the last frame that was seen. */
export interface Moment {
  readonly showMs: number | null;
  readonly dateMs: number | null;
  readonly mediaTime: number;
}

/** Keeps the cards in step with the frames: for every frame, its show time, and what is pinned then. */
export class PinTrack {
  /** How the player's position leads to show time, of all but live. */
  map = new PlayMap();
  moment: Moment = { showMs: null, dateMs: null, mediaTime: 0 };
  /** Called when a card comes or goes. */
  onChange: ((id: string, visible: boolean, moment: Moment) => void) | null = null;
  /** Called when a card comes onto the picture. */
  onSeen: ((pin: Pin) => void) | null = null;
  private playing: Playing | null = null;
  private timeline: Timeline | null = null;
  private pins: readonly Pin[] = []; // what the visible ones were computed from
  private from = 0; // the visible ones hold from here ...
  private until = 0; // ... to here, in show time
  private visible: readonly Pin[] = [];
  private preparedAt = 0;

  constructor(
    private readonly room: Stages,
    private readonly player: Player,
    private readonly cards: Cards,
  ) {}

  /** Turns to another show, or to none. */
  follow(playing: Playing | null): void {
    this.playing = playing;
    this.timeline = playing && this.room.timeline(playing.showId);
    this.moment = { showMs: null, dateMs: null, mediaTime: 0 };
    this.put([], null);
    this.until = -Infinity;
  }

  playlist(segments: readonly DatedSegment[], ranges: readonly PinRange[]): void {
    if (!this.timeline) return;
    this.timeline.epochs.learn(segments);
    this.timeline.ranges(ranges);
    this.setServerClock();
  }

  frame(tick: FrameTick): void {
    const { timeline } = this;
    if (!timeline) return;
    const dateMs = this.playing?.kind === 'live' ? this.dateAt(tick.mediaTime) : null;
    const showMs = this.playing?.kind !== 'live' ? this.map.toShow(tick.mediaTime * 1000) : dateMs === null ? null : timeline.epochs.showAt(dateMs);
    this.moment = { showMs, dateMs, mediaTime: tick.mediaTime };
    if (showMs === null) return;
    this.prepare(timeline, showMs);
    const at = showMs + tick.aheadMs;
    const pins = timeline.pins();
    if (pins === this.pins && at >= this.from && at < this.until) return;
    this.pins = pins;
    this.from = at;
    this.until = timeline.nextChange(at);
    const visible = visiblePins(pins, at);
    this.cards.show(visible);
    this.put(visible.pins, this.moment);
  }

  ids(): string[] {
    return this.visible.map((p) => p.id);
  }

  /** The pin that a product is on the picture by, if it is. */
  pinOf(productId: string): string | null {
    return this.visible.find((p) => p.productId === productId)?.id ?? null;
  }

  /** The products on the picture. */
  showing(): ReadonlySet<string> {
    return new Set(this.visible.map((p) => p.productId));
  }

  /** How old the picture is, by the server's clock; by the playlist's edge while that is unknown. */
  latencyMs(): number | null {
    if (this.playing?.kind !== 'live') return null;
    const now = this.room.serverNow();
    const age = now !== null && this.moment.dateMs !== null ? now - this.moment.dateMs : NaN;
    if (age > -2_000 && age < 120_000) return Math.max(0, age);
    const edge = this.player.liveEdge();
    return edge && edge.latency * 1000;
  }

  /** What is in the buffer has been on the server. */
  private setServerClock(): void {
    const { currentTime } = this.player.video;
    const newest = this.playing?.kind === 'live' ? this.player.dateAt(currentTime + this.player.bufferedAhead) : null;
    if (newest !== null && this.room.serverNow() !== null) this.room.serverPassed(newest);
  }

  /** The date of a frame; where the player has no dates, by the end of what can be seeked to, which is about now. */
  private dateAt(mediaTime: number): number | null {
    const date = this.player.dateAt(mediaTime);
    if (date !== null) return date;
    const now = this.room.serverNow();
    const edge = this.player.liveEdge();
    return now === null || !edge ? null : now - edge.latency * 1000 + (mediaTime - this.player.video.currentTime) * 1000;
  }

  private prepare(timeline: Timeline, showMs: number): void {
    const now = performance.now();
    if (now - this.preparedAt < prepareEveryMs) return;
    this.preparedAt = now;
    const soon = timeline.pins().filter((p) => p.startMs > showMs && p.startMs < showMs + prepareMs);
    this.cards.prepare(soon);
    const next = soon.find((p) => p.startMs < showMs + armMs && visiblePins(timeline.pins(), p.startMs).featured === p);
    this.cards.arm(next ?? null);
  }

  private put(visible: readonly Pin[], moment: Moment | null): void {
    const before = this.visible;
    this.visible = visible;
    if (!moment) {
      this.cards.show({ pins: [], featured: null });
      return;
    }
    const had = new Set(before.map((p) => p.id));
    const has = new Set(visible.map((p) => p.id));
    for (const p of before) if (!has.has(p.id)) this.onChange?.(p.id, false, moment);
    for (const p of visible) {
      if (had.has(p.id)) continue;
      this.onChange?.(p.id, true, moment);
      this.onSeen?.(p);
    }
  }
}
