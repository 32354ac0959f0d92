import { backoff } from '../../channel/backoff';
import type { Engine, EngineEvents, LiveEdge, Source } from './engine';

type WithStartDate = HTMLVideoElement & { getStartDate?: () => Date };

/** What a native player keeps behind its live edge, roughly: it does not tell. */
const usualTargetS = 3;

/** Plays what the browser plays by itself: files, and HLS where there are no Media Source Extensions: older iPhones. */
export class NativeEngine implements Engine {
  private attempt = 0;
  private again: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly video: WithStartDate,
    private readonly source: Source,
    private readonly events: EngineEvents,
  ) {
    video.addEventListener('error', this.onError);
    video.addEventListener('playing', this.onPlaying);
    video.addEventListener('loadedmetadata', this.onLoaded);
    video.src = source.url;
  }

  dateAt(mediaTime: number): number | null {
    const start = this.video.getStartDate?.().getTime() ?? NaN;
    return Number.isFinite(start) ? start + mediaTime * 1000 : null;
  }

  liveEdge(): LiveEdge | null {
    const { seekable } = this.video;
    if (this.source.kind !== 'live' || seekable.length === 0) return null;
    const edge = seekable.end(seekable.length - 1);
    return { latency: edge - this.video.currentTime, target: usualTargetS, position: edge - usualTargetS };
  }

  end(): number | null {
    const { seekable } = this.video;
    return seekable.length === 0 ? null : seekable.end(seekable.length - 1);
  }

  settle(): void {
    // The browser's player has no target to reset.
  }

  retry(): void {
    clearTimeout(this.again);
    const at = this.source.kind === 'live' ? 0 : this.video.currentTime;
    this.video.src = this.source.url;
    if (at > 0) this.video.currentTime = at;
    this.video.play().catch(() => undefined); // a viewer who must tap is asked to by the player
  }

  destroy(): void {
    clearTimeout(this.again);
    this.video.removeEventListener('error', this.onError);
    this.video.removeEventListener('playing', this.onPlaying);
    this.video.removeEventListener('loadedmetadata', this.onLoaded);
    this.video.removeAttribute('src');
    this.video.load();
  }

  private readonly onLoaded = (): void => {
    if (this.source.startS !== undefined && this.video.currentTime < 0.1) this.video.currentTime = this.source.startS;
  };

  private readonly onPlaying = (): void => {
    this.attempt = 0;
    this.events.trouble(null);
  };

  private readonly onError = (): void => {
    const code = this.video.error?.code;
    const retryInMs = backoff(this.attempt++, Math.random, 1_000, 10_000);
    this.again = setTimeout(() => this.retry(), retryInMs);
    this.events.trouble({ reason: code === MediaError.MEDIA_ERR_DECODE ? 'media' : 'network', retryInMs });
  };
}
