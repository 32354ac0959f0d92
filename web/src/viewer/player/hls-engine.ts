import type Hls from 'hls.js/light';
import type { ErrorData, Fragment, HlsConfig, LevelDetails } from 'hls.js/light';
import { backoff } from '../../channel/backoff';
import type { DatedSegment } from '../../timeline/epochs';
import type { PinRange } from '../../timeline/timeline';
import type { Engine, EngineEvents, LiveEdge, Source, TroubleReason } from './engine';

type HlsClass = typeof Hls;

const retry = (maxNumRetry: number) => ({ maxNumRetry, retryDelayMs: 500, maxRetryDelayMs: 4_000, backoff: 'exponential' as const });

const config: Partial<HlsConfig> = {
  enableWorker: false, // CMAF passes through unchanged; a worker would need blob: in the Content-Security-Policy
  lowLatencyMode: true,
  backBufferLength: 30, // a phone's memory; enough to step back a little
  maxBufferLength: 20,
  maxMaxBufferLength: 60,
  liveDurationInfinity: true,
  // Where a room has a ladder: a phone's network usually carries the source, so begin there rather than at the lowest, and
  // take no more rows than the screen shows.
  abrEwmaDefaultEstimate: 4_000_000,
  capLevelToPlayerSize: true,
  // Pins are read from the playlist itself; cues would need a data: source and come with timeupdate, too late.
  enableDateRangeMetadataCues: false,
  enableEmsgMetadataCues: false,
  enableID3MetadataCues: false,
  liveSyncOnStallIncrease: 1, // taken back by settle()
  maxLiveSyncPlaybackRate: 1, // ours is in latency.ts: hls.js hurries only with more than a second in the buffer
  // An interrupted show answers its playlist late or not at all for up to its reconnect window; wait that long.
  playlistLoadPolicy: {
    default: { maxTimeToFirstByteMs: 20_000, maxLoadTimeMs: 30_000, timeoutRetry: retry(20), errorRetry: retry(20) },
  },
  fragLoadPolicy: {
    default: { maxTimeToFirstByteMs: 10_000, maxLoadTimeMs: 60_000, timeoutRetry: retry(4), errorRetry: retry(6) },
  },
};

/** So many repairs of the decoder within this long, and the source is loaded anew. */
const maxRepairs = 3;
const repairWindowMs = 30_000;

/** Boundaries of segments and media times of frames differ by rounding. */
const roundingS = 0.001;

/** Plays by Media Source Extensions with hls.js, and keeps at it: every fatal error is followed by another try. */
export class HlsEngine implements Engine {
  private hls: Hls;
  private attempt = 0;
  private again: ReturnType<typeof setTimeout> | undefined;
  private pending: (() => void) | null = null;
  private repairs: number[] = [];

  constructor(
    private readonly lib: HlsClass,
    private readonly video: HTMLVideoElement,
    private readonly source: Source,
    private readonly events: EngineEvents,
  ) {
    this.hls = this.open();
  }

  dateAt(mediaTime: number): number | null {
    const segment = segmentAt(this.hls.latestLevelDetails, mediaTime);
    if (segment?.programDateTime != null) return segment.programDateTime + (mediaTime - segment.start) * 1000;
    const playing = this.hls.playingDate;
    return playing && playing.getTime() - (this.video.currentTime - mediaTime) * 1000;
  }

  liveEdge(): LiveEdge | null {
    const position = this.hls.liveSyncPosition;
    const target = this.hls.targetLatency;
    if (position === null || target === null || !this.hls.latestLevelDetails?.live) return null;
    return { latency: this.hls.latency, target, position };
  }

  end(): number | null {
    return this.hls.latestLevelDetails?.edge ?? null;
  }

  settle(): void {
    const details = this.hls.latestLevelDetails;
    const own = details?.partHoldBack ?? 0;
    const base = own > 0 ? own : (details?.holdBack ?? 0);
    const target = this.hls.targetLatency;
    if (base > 0 && target !== null && target > base + 0.01) this.hls.targetLatency = base;
  }

  retry(): void {
    const act = this.pending ?? (() => this.hls.startLoad());
    clearTimeout(this.again);
    this.pending = null;
    act();
  }

  destroy(): void {
    clearTimeout(this.again);
    this.pending = null;
    this.hls.destroy();
  }

  private open(startS = this.source.startS): Hls {
    const { Events } = this.lib;
    const hls = new this.lib({ ...config, ...(startS === undefined ? {} : { startPosition: startS }) });
    hls.on(Events.LEVEL_UPDATED, (_, { details }) => this.tellPlaylist(details));
    hls.on(Events.FRAG_BUFFERED, () => this.recovered());
    hls.on(Events.ERROR, (_, error) => (error.fatal ? this.failed(error) : this.hindered(error)));
    hls.loadSource(this.source.url);
    hls.attachMedia(this.video);
    return hls;
  }

  private reopen(): void {
    const at = this.source.kind === 'live' ? 0 : this.video.currentTime;
    this.hls.destroy();
    this.hls = this.open(at > 0 ? at : this.source.startS);
  }

  private tellPlaylist(details: LevelDetails): void {
    if (!this.pending) this.events.trouble(null);
    this.events.playlist(segmentsOf(details).flatMap(dated), Object.values(details.dateRanges).flatMap(pinRange));
  }

  private recovered(): void {
    this.attempt = 0;
    if (this.pending) return;
    this.events.trouble(null);
  }

  private failed(error: ErrorData): void {
    const { ErrorTypes } = this.lib;
    if (error.type === ErrorTypes.MEDIA_ERROR && this.mayRepair()) {
      this.hls.recoverMediaError();
      return;
    }
    const loaded = this.hls.levels.length > 0 && error.type === ErrorTypes.NETWORK_ERROR;
    this.later(reasonOf(error, this.lib), loaded ? () => this.hls.startLoad() : () => this.reopen());
  }

  /** hls.js tries again by itself; whoever waits for the picture is told why. */
  private hindered(error: ErrorData): void {
    if (error.type !== this.lib.ErrorTypes.NETWORK_ERROR || this.pending) return;
    this.events.trouble({ reason: reasonOf(error, this.lib), retryInMs: 4_000 });
  }

  private mayRepair(): boolean {
    const now = performance.now();
    this.repairs = this.repairs.filter((t) => now - t < repairWindowMs);
    this.repairs.push(now);
    return this.repairs.length <= maxRepairs;
  }

  private later(reason: TroubleReason, act: () => void): void {
    const retryInMs = backoff(this.attempt++, Math.random, 1_000, 10_000);
    this.pending = act;
    clearTimeout(this.again);
    this.again = setTimeout(() => this.retry(), retryInMs);
    this.events.trouble({ reason, retryInMs });
  }
}

function reasonOf(error: ErrorData, lib: HlsClass): TroubleReason {
  if (error.type !== lib.ErrorTypes.NETWORK_ERROR) return 'media';
  return error.response?.code === 404 ? 'missing' : 'network';
}

/** The segments of a playlist, with the one that is still being written. */
function segmentsOf(details: LevelDetails): Fragment[] {
  return details.fragmentHint ? [...details.fragments, details.fragmentHint] : details.fragments;
}

/** The segment that holds an instant; past the end of the playlist the last one, whose dates run on. */
function segmentAt(details: LevelDetails | null, mediaTime: number): Fragment | null {
  if (!details) return null;
  const hint = details.fragmentHint;
  if (hint && hint.start <= mediaTime + roundingS) return hint;
  const all = details.fragments;
  for (let i = all.length - 1; i >= 0; i--) {
    const f = all[i];
    if (f && f.start <= mediaTime + roundingS) return f;
  }
  return null;
}

function dated(f: Fragment): DatedSegment[] {
  return f.programDateTime === null ? [] : [{ cc: f.cc, wallMs: f.programDateTime, durationMs: f.duration * 1000 }];
}

type Range = LevelDetails['dateRanges'][string];

function pinRange(r: Range): PinRange[] {
  if (r?.class !== 'vitrine.pin') return [];
  const attr = r.attr as Partial<Record<string, string>>;
  const show = Number.parseFloat(attr['X-SHOW-TIME-MS'] ?? '');
  return [
    {
      id: r.id,
      productId: attr['X-PRODUCT'] ?? '',
      title: attr['X-TITLE'] ?? '',
      showMs: Number.isFinite(show) ? show : null,
      startWallMs: r.startDate.getTime(),
      endWallMs: attr['END-DATE'] ?? attr.DURATION ? (r.endDate?.getTime() ?? null) : null,
    },
  ];
}
