import type { DatedSegment } from '../../timeline/epochs';
import type { PinRange } from '../../timeline/timeline';
import type { Engine, EngineEvents, Source, Trouble } from './engine';
import { FrameClock, type FrameTick } from './frame-clock';
import { HlsEngine } from './hls-engine';
import { govern } from './latency';
import { NativeEngine } from './native-engine';

export interface PlayerEvents {
  frame(tick: FrameTick): void;
  playlist(segments: readonly DatedSegment[], ranges: readonly PinRange[]): void;
  trouble(trouble: Trouble | null): void;
  ended(): void;
  /** Something that the controls show has changed. */
  change(): void;
  /** No way of playing HLS in this browser. */
  unsupported(): void;
}

const checkMs = 500;
const bufferingAfterMs = 400; // shorter waits are not worth a spinner
const smoothForMs = 15_000;
const stuckJumpMs = 8_000;
const stuckReloadMs = 20_000;
const libraryRetryMs = 3_000;
const behindS = 3; // further behind than this, the way back to live is offered

const library = (): Promise<typeof import('hls.js/light')> => import('hls.js/light');

/** The video element and whatever plays in it: one source at a time, kept going, kept live. */
export class Player {
  source: Source | null = null;
  buffering = false;
  /** The browser lets nothing play until the viewer taps. */
  needsTap = false;
  /** The viewer has not chosen to be behind: keep to the live edge. */
  following = true;

  readonly clock: FrameClock;
  private engine: Engine | null = null;
  private loading = 0; // counts loads, so that a late one knows it is
  private waitingSince: number | null = null;
  private lastStall = 0;
  private lastTime = -1;
  private movedAt = 0;
  private seekOurs = false; // the seek that comes is not the viewer's
  private expected = true; // media should be coming

  constructor(
    readonly video: HTMLVideoElement,
    private readonly events: PlayerEvents,
  ) {
    this.clock = new FrameClock(video, (tick) => this.source && events.frame(tick));
    this.clock.start();
    setInterval(() => this.check(), checkMs);
    this.listen();
  }

  get paused(): boolean {
    return this.video.paused;
  }

  /** Whether there is something to go to when the viewer asks for live. */
  get behindLive(): boolean {
    const edge = this.source?.kind === 'live' ? this.engine?.liveEdge() : null;
    return edge != null && (edge.latency > edge.target + behindS || (this.video.paused && !this.needsTap));
  }

  get bufferedAhead(): number {
    const { buffered, currentTime } = this.video;
    for (let i = 0; i < buffered.length; i++) {
      if (buffered.start(i) <= currentTime + 0.1 && buffered.end(i) > currentTime) return buffered.end(i) - currentTime;
    }
    return 0;
  }

  dateAt(mediaTime: number): number | null {
    return this.engine?.dateAt(mediaTime) ?? null;
  }

  /** Where what can be watched ends now, in seconds. */
  get end(): number | null {
    return this.engine?.end() ?? null;
  }

  liveEdge(): ReturnType<Engine['liveEdge']> {
    return this.engine?.liveEdge() ?? null;
  }

  /** Plays a source. The last frame of the one before stays until the new one has a picture of its own. */
  async load(source: Source, autoplay: boolean): Promise<void> {
    const turn = ++this.loading;
    this.engine?.destroy();
    this.engine = null;
    this.source = source;
    this.following = true;
    this.resetWatch();
    const engine = await this.makeEngine(source).catch(() => undefined);
    if (turn !== this.loading) return engine?.destroy();
    if (engine === undefined) { this.loadLater(source, autoplay, turn); return; }
    this.engine = engine;
    if (!engine) this.events.unsupported();
    else if (autoplay) this.play();
    else this.video.pause();
    this.events.change();
  }

  /** The library itself did not come. */
  private loadLater(source: Source, autoplay: boolean, turn: number): void {
    this.events.trouble({ reason: 'network', retryInMs: libraryRetryMs });
    setTimeout(() => {
      if (turn === this.loading) void this.load(source, autoplay);
    }, libraryRetryMs);
  }

  unload(): void {
    this.loading++;
    this.engine?.destroy();
    this.engine = null;
    this.source = null;
    this.buffering = false;
    this.events.change();
  }

  /** Says whether media should be coming: nobody tries to repair the silence of an interrupted show. */
  expect(coming: boolean): void {
    if (coming && !this.expected) this.resetWatch();
    this.expected = coming;
  }

  play(): void {
    this.video.play().then(
      () => this.tapped(),
      (why: unknown) => {
        if (why instanceof DOMException && why.name === 'NotAllowedError') this.askForTap();
      },
    );
  }

  toggle(): void {
    if (!this.video.paused) {
      this.video.pause();
      return;
    }
    if (this.video.ended) this.seek(0);
    this.play();
  }

  unmute(): void {
    this.video.muted = false;
    if (this.video.volume === 0) this.video.volume = 1;
    this.play();
  }

  seek(seconds: number): void {
    this.seekOurs = true;
    this.video.currentTime = Math.max(0, seconds);
  }

  jumpToLive(): void {
    const edge = this.engine?.liveEdge();
    this.following = true;
    if (edge) this.seek(edge.position);
    this.play();
  }

  retry(): void {
    this.engine?.retry();
  }

  /** Fetches the library before it is needed: the room is asked for meanwhile. */
  warm(): void {
    library().catch(() => undefined); // load tries again and tells
  }

  private async makeEngine(source: Source): Promise<Engine | null> {
    const events: EngineEvents = {
      playlist: (segments, ranges) => this.events.playlist(segments, ranges),
      trouble: (t) => this.events.trouble(t),
    };
    if (source.kind === 'file') return new NativeEngine(this.video, source, events);
    const { default: Hls } = await library();
    // Chromium plays HLS by itself too, but tells nothing of dates: hls.js comes first wherever it can run.
    if (Hls.isSupported()) return new HlsEngine(Hls, this.video, source, events);
    if (this.video.canPlayType('application/vnd.apple.mpegurl')) return new NativeEngine(this.video, source, events);
    return null;
  }

  private listen(): void {
    const { video } = this;
    const on = (types: readonly string[], act: () => void): void => types.forEach((t) => video.addEventListener(t, act));
    on(['waiting', 'stalled'], () => (this.waitingSince ??= performance.now()));
    on(['waiting'], () => (this.lastStall = performance.now()));
    on(['playing', 'pause', 'ended', 'emptied'], () => this.stopWaiting());
    on(['timeupdate'], () => video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA && this.stopWaiting());
    on(['seeking'], () => this.onSeeking());
    on(['pause'], () => this.onPause());
    on(['ended'], () => this.events.ended());
    on(['play', 'pause', 'volumechange', 'durationchange', 'seeked', 'loadeddata', 'resize'], () => this.events.change());
  }

  private onSeeking(): void {
    // hls.js seeks to start and to stay in the window; a jump back of more than that is the viewer's wish.
    const back = this.lastTime - this.video.currentTime;
    if (!this.seekOurs && this.source?.kind === 'live' && back > 1 && this.lastTime > 0) this.following = false;
    this.seekOurs = false;
  }

  private onPause(): void {
    if (this.source?.kind === 'live' && !this.video.ended) this.following = false;
  }

  private stopWaiting(): void {
    this.waitingSince = null;
    if (!this.buffering) return;
    this.buffering = false;
    this.events.change();
  }

  private tapped(): void {
    if (!this.needsTap) return;
    this.needsTap = false;
    this.events.change();
  }

  private askForTap(): void {
    this.needsTap = true;
    this.events.change();
  }

  private resetWatch(): void {
    this.movedAt = performance.now();
    this.lastTime = -1;
    this.lastStall = this.movedAt;
  }

  /** Twice a second: is it moving, is it late? */
  private check(): void {
    const now = performance.now();
    if (this.waitingSince !== null && !this.buffering && now - this.waitingSince > bufferingAfterMs && !this.video.paused) {
      this.buffering = true;
    }
    this.watch(now);
    if (this.source?.kind === 'live' && !this.video.paused) this.keepLive(now);
    this.events.change();
  }

  private watch(now: number): void {
    const moved = this.video.currentTime !== this.lastTime;
    this.lastTime = this.video.currentTime;
    if (moved || this.video.paused || !this.expected || document.hidden) {
      this.movedAt = now;
      return;
    }
    if (this.source?.kind !== 'live') return;
    const still = now - this.movedAt;
    if (still > stuckReloadMs) void this.load(this.source, true);
    else if (still > stuckJumpMs && still < stuckJumpMs + checkMs * 1.5) this.jumpToLive();
  }

  private keepLive(now: number): void {
    const edge = this.engine?.liveEdge();
    if (!edge) return;
    if (now - this.lastStall > smoothForMs) this.engine?.settle();
    if (!this.following || !this.expected) return this.setRate(1);
    const action = govern({ latency: edge.latency, target: edge.target, ahead: this.bufferedAhead, rate: this.video.playbackRate });
    if (action.do === 'jump') this.seek(edge.position);
    else this.setRate(action.rate);
  }

  private setRate(rate: number): void {
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
  }
}
