import type { Phase } from './phase';
import type { Tap } from './pin-desk';
import type { Quality } from './publish/quality';

/** window.__vitrine of the anchor's page: for tests, and for who embeds it. */
export interface StudioHandle {
  readonly state: Phase;
  /** Milliseconds of performance.now() at which the page came into each state. */
  readonly events: readonly { readonly at: number; readonly state: Phase }[];
  /** The last taps on products, and what became of them. */
  readonly taps: readonly Tap[];
  readonly quality: Quality | null;
  /** Whether the session's own channel is open. */
  readonly channel: boolean;
}

const keep = 200;

export function installProbe(of: { phase: () => Phase; taps: readonly Tap[]; quality: () => Quality | null; channel: () => boolean }): (state: Phase) => void {
  const events: { at: number; state: Phase }[] = [];
  const handle: StudioHandle = {
    get state() {
      return of.phase();
    },
    events,
    taps: of.taps,
    get quality() {
      return of.quality();
    },
    get channel() {
      return of.channel();
    },
  };
  Object.assign(window, { __vitrine: handle });
  return (state) => {
    if (events[events.length - 1]?.state === state) return;
    events.push({ at: performance.now(), state });
    if (events.length > keep) events.shift();
  };
}
