/** How far ahead of its instant a card is put up, so that it and the frame are composited together. */
export interface FrameTick {
  readonly mediaTime: number; // seconds, of the frame that is about to be seen
  readonly aheadMs: number;
}

/** Playback at 30 frames a second until the video has shown its own. */
const usualPeriodMs = 1000 / 30;
/** Dates jitter by rounding and by the capture; a quarter of a frame covers it without reaching the frame before. */
const jitterShare = 0.25;
const maxJitterMs = 8;

/**
 * Measures the frame period of a video from the media times of consecutive frames. The median withstands dropped
 * frames and the odd timestamp.
 */
export class FramePeriod {
  private readonly recent: number[] = [];
  private last: { mediaTime: number; frames: number } | null = null;

  /** Takes one frame; frames is how many the video has presented in all. */
  add(mediaTime: number, frames: number): void {
    const last = this.last;
    this.last = { mediaTime, frames };
    if (frames - (last?.frames ?? frames) !== 1) return;
    const ms = (mediaTime - (last?.mediaTime ?? mediaTime)) * 1000;
    if (ms < 4 || ms > 250) return;
    this.recent.push(ms);
    if (this.recent.length > 31) this.recent.shift();
  }

  get ms(): number {
    if (this.recent.length < 5) return usualPeriodMs;
    const sorted = [...this.recent].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? usualPeriodMs;
  }

  /**
   * A callback runs when its frame is handed to the compositor, and what it changes in the page is drawn with the next
   * one: so a card goes up one frame early. A still picture has no next one.
   */
  aheadMs(moving: boolean): number {
    const period = this.ms;
    const jitter = Math.min(maxJitterMs, period * jitterShare);
    return moving ? period + jitter : jitter;
  }
}

/** Calls back for every frame that is seen, until stopped. */
export class FrameClock {
  readonly period = new FramePeriod();
  private handle = 0;
  private lastFrameAt = 0;
  private readonly byFrame: boolean;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly onTick: (tick: FrameTick) => void,
  ) {
    this.byFrame = 'requestVideoFrameCallback' in video;
  }

  start(): void {
    if (this.byFrame) this.nextFrame();
    else this.nextRefresh();
    // Sound without pictures, and pictures that nobody sees, have no frames; the products must still be right.
    for (const type of ['timeupdate', 'seeked', 'pause'] as const) this.video.addEventListener(type, this.onCoarse);
  }

  stop(): void {
    if (this.byFrame) this.video.cancelVideoFrameCallback(this.handle);
    else cancelAnimationFrame(this.handle);
    for (const type of ['timeupdate', 'seeked', 'pause'] as const) this.video.removeEventListener(type, this.onCoarse);
  }

  private nextFrame(): void {
    this.handle = this.video.requestVideoFrameCallback((now, frame) => {
      this.nextFrame();
      this.lastFrameAt = now;
      this.period.add(frame.mediaTime, frame.presentedFrames);
      this.tick(this.plausible(frame.mediaTime));
    });
  }

  private nextRefresh(): void {
    this.handle = requestAnimationFrame(() => {
      this.nextRefresh();
      if (!this.video.paused) this.tick(this.video.currentTime);
    });
  }

  private readonly onCoarse = (): void => {
    const framesCome = this.byFrame && !this.video.paused && performance.now() - this.lastFrameAt < 500;
    if (!framesCome) this.tick(this.video.currentTime);
  };

  /** Native players may count the media time of a frame from elsewhere than currentTime. */
  private plausible(mediaTime: number): number {
    return Math.abs(mediaTime - this.video.currentTime) < 2 ? mediaTime : this.video.currentTime;
  }

  private tick(mediaTime: number): void {
    const moving = !this.video.paused && !this.video.seeking;
    this.onTick({ mediaTime, aheadMs: this.period.aheadMs(moving) });
  }
}
