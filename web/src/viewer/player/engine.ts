import type { DatedSegment } from '../../timeline/epochs';
import type { PinRange } from '../../timeline/timeline';

/**
 * live: follows the edge. shift: a show on air from its beginning, which grows. replay: one that is over. file: one file,
 * as a clip has.
 */
export interface Source {
  readonly kind: 'live' | 'shift' | 'replay' | 'file';
  readonly url: string;
  /** Where to begin, in seconds; else where the source says. */
  readonly startS?: number;
}

/** Why nothing comes. missing: the server has no such stream (yet). */
export type TroubleReason = 'network' | 'missing' | 'media';

export interface Trouble {
  readonly reason: TroubleReason;
  readonly retryInMs: number;
}

export interface EngineEvents {
  /** The playlist was read anew. */
  playlist(segments: readonly DatedSegment[], ranges: readonly PinRange[]): void;
  /** Playback cannot go on; the engine tries again by itself. null: it can again. */
  trouble(trouble: Trouble | null): void;
}

/** Seconds on the media timeline, and how far the playhead should stay behind the live edge. */
export interface LiveEdge {
  readonly latency: number;
  readonly target: number;
  readonly position: number; // where to seek to be live
}

/** One way of playing HLS in a video element. */
export interface Engine {
  /** The wall date of the frame with this media time (PROGRAM-DATE-TIME), null where it cannot be known. */
  dateAt(mediaTime: number): number | null;
  liveEdge(): LiveEdge | null;
  /** Where what can be watched ends now, in seconds; null where it cannot be known. */
  end(): number | null;
  /** Playback has been smooth for a while: aim for the playlist's own latency again. */
  settle(): void;
  /** Try again now. */
  retry(): void;
  destroy(): void;
}
