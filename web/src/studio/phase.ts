import type { PublisherState } from './publish/publisher';

/** What the page is, as the anchor sees it. */
export type Phase = 'loading' | 'unknown' | 'failed' | 'locked' | 'ready' | 'connecting' | 'live' | 'reconnecting' | 'elsewhere' | 'ended';

/** All that the page's state follows from. */
export interface Facts {
  readonly room: 'loading' | 'unknown' | 'failed' | 'locked' | 'known';
  readonly publisher: PublisherState;
  /** The server shows this phone's picture to viewers. */
  readonly shown: boolean;
  /** It has shown it before, since the last start. */
  readonly wasShown: boolean;
  /** Somebody publishes to the room, and it is not this page. */
  readonly elsewhere: boolean;
  /** This page has ended a show, and nothing has begun since. */
  readonly ended: boolean;
}

export function phase(f: Facts): Phase {
  switch (f.publisher) {
    case 'up':
      return f.shown ? 'live' : f.wasShown ? 'reconnecting' : 'connecting';
    case 'recovering':
      return f.wasShown ? 'reconnecting' : 'connecting';
    case 'connecting':
      return 'connecting';
    case 'off':
    case 'refused':
    case 'displaced':
  }
  if (f.room !== 'known') return f.room;
  if (f.elsewhere) return 'elsewhere';
  return f.ended ? 'ended' : 'ready';
}

/** This page is on air or about to be: it is not to be left, and its picture is not to change its shape. */
export function sending(p: Phase): boolean {
  return p === 'connecting' || p === 'live' || p === 'reconnecting';
}
