import type { DatedSegment } from '../../timeline/epochs';
import type { PinRange } from '../../timeline/timeline';

export interface Source {
  readonly kind: 'live' | 'replay';
  readonly url: string;
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
  /** Playback has been smooth for a while: aim for the playlist's own latency again. */
  settle(): void;
  /** Try again now. */
  retry(): void;
  destroy(): void;
}
