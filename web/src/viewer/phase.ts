import type { RoomState } from '../channel/frames';

/** What the page is, as the viewer sees it. */
export type Phase = 'loading' | 'unknown' | 'failed' | 'waiting' | 'live' | 'shift' | 'reconnecting' | 'ended' | 'replay';

/** What the player has, or should have. shift: a show from further back than the live edge, while it is on air. */
export interface Playing {
  readonly kind: 'live' | 'shift' | 'replay';
  readonly showId: string;
}

/** All that the page's state follows from. */
export interface Facts {
  readonly room: 'loading' | 'unknown' | 'failed' | 'known';
  readonly roomState: RoomState;
  readonly showId: string | null; // of the show on air or interrupted
  readonly replayId: string | null; // of the newest show with a replay
  readonly endedId: string | null; // of the show that ended before this viewer's eyes
  readonly playing: Playing | null;
  /** Pictures still come: the buffer of an interrupted or ended show is not empty yet. */
  readonly flowing: boolean;
  /** The page says that the host is reconnecting. */
  readonly waitingForHost: boolean;
  /** The viewer has pressed play or moved in the replay. */
  readonly replayBegun: boolean;
  /** The viewer moved in the replay by hand and is not to be carried off. */
  readonly engrossed: boolean;
  /** The viewer went back in the show on air. */
  readonly shifted: boolean;
}

const onAir = (f: Facts): boolean => (f.roomState === 'live' || f.roomState === 'interrupted') && f.showId !== null;

/** What should play now. */
export function target(f: Facts): Playing | null {
  if (f.room !== 'known') return f.playing;
  const { playing, showId } = f;
  // Whoever went back in a show watches on to its end, also when it is over meanwhile: what is played has it all.
  if (playing?.kind === 'shift' && f.shifted && (showId === null || showId === playing.showId)) return playing;
  if (onAir(f) && showId !== null) {
    if (playing?.kind === 'replay' && f.engrossed) return playing;
    return { kind: f.shifted && playing?.showId === showId ? 'shift' : 'live', showId };
  }
  if (playing?.kind === 'live' && f.flowing) return playing; // to its last frame
  if (f.replayId !== null && (f.endedId === null || f.endedId === f.replayId)) return { kind: 'replay', showId: f.replayId };
  return null;
}

/** A show is on air while the viewer looks at a replay. */
export function liveElsewhere(f: Facts): boolean {
  return onAir(f) && f.playing !== null && (f.playing.kind === 'replay' || f.playing.showId !== f.showId);
}

export function phase(f: Facts): Phase {
  if (f.room !== 'known' && !f.playing) return f.room;
  if (!f.playing) return f.endedId !== null ? 'ended' : 'waiting';
  if (f.playing.kind === 'shift') return onAir(f) && f.showId === f.playing.showId ? 'shift' : 'replay';
  if (f.playing.kind === 'replay') return f.endedId === f.playing.showId && !f.replayBegun ? 'ended' : 'replay';
  return (f.roomState === 'interrupted' || f.waitingForHost) && !f.flowing ? 'reconnecting' : 'live';
}
