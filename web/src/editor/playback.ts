import { Player } from '../viewer/player/player';
import type { Trouble } from '../viewer/player/engine';
import type { Stretch } from '../timeline/play-map';

/** What the page hears of its player. */
export interface PlaybackEvents {
  tick(): void;
  change(): void;
}

const skipMs = 40; // a seek lands this near to where it was to

/**
 * Plays the whole recording on one line with show time. While somebody drags, one seek is under way and the newest wish waits:
 * a decoder that is asked for every pixel shows nothing.
 */
export class Playback {
  trouble: Trouble | null = null;
  unsupported = false;
  skipsCuts = false;
  cuts: readonly Stretch[] = [];
  private readonly player: Player;
  private wantedMs: number | null = null;
  private until: number | null = null;
  private url = '';

  constructor(
    readonly video: HTMLVideoElement,
    private readonly events: PlaybackEvents,
  ) {
    this.player = new Player(video, {
      frame: () => this.frame(),
      playlist: () => undefined,
      trouble: (t) => {
        this.trouble = t;
        events.change();
      },
      ended: () => events.change(),
      change: () => events.change(),
      unsupported: () => {
        this.unsupported = true;
        events.change();
      },
    });
    video.addEventListener('seeked', () => this.landed());
  }

  /** Plays from an address, once; a show on air goes on growing. */
  load(url: string, live: boolean): void {
    if (url === this.url) return;
    this.url = url;
    void this.player.load({ kind: live ? 'shift' : 'replay', url, startS: 0 }, false);
  }

  get atMs(): number {
    return this.wantedMs ?? this.video.currentTime * 1000;
  }

  get paused(): boolean {
    return this.player.paused;
  }

  get frameMs(): number {
    return this.player.clock.period.ms;
  }

  get waits(): boolean {
    return this.player.buffering || this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA;
  }

  get muted(): boolean {
    return this.video.muted;
  }

  toggle(): void {
    this.until = null;
    this.player.toggle();
  }

  pause(): void {
    this.video.pause();
  }

  toggleMute(): void {
    this.video.muted = !this.video.muted;
  }

  seek(ms: number): void {
    this.until = null;
    this.wantedMs = Math.max(0, ms);
    if (!this.video.seeking) this.go();
  }

  /** Plays a stretch, and stops at its end. */
  playStretch(s: Stretch): void {
    this.seek(s.fromMs);
    this.until = s.toMs;
    this.player.play();
  }

  private go(): void {
    if (this.wantedMs !== null) this.player.seek(this.wantedMs / 1000);
  }

  private landed(): void {
    if (this.wantedMs !== null && Math.abs(this.video.currentTime * 1000 - this.wantedMs) > skipMs) return this.go();
    this.wantedMs = null;
    this.events.tick();
  }

  private frame(): void {
    const at = this.video.currentTime * 1000;
    if (!this.paused && this.wantedMs === null) {
      const cut = this.skipsCuts && this.until === null ? this.cuts.find((c) => c.fromMs <= at && at < c.toMs - skipMs) : undefined;
      if (cut) this.seek(cut.toMs);
      else if (this.until !== null && at >= this.until) {
        const end = this.until;
        this.video.pause();
        this.seek(end);
      }
    }
    this.events.tick();
  }
}
