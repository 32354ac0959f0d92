import type { Phase } from './phase';
import type { Moment, PinTrack } from './pin-track';

/** What has happened on the page, in the order it did. at is performance.now() in milliseconds. */
export type ProbeEvent =
  | { readonly at: number; readonly type: 'state'; readonly state: Phase }
  | ({ readonly at: number; readonly type: 'pin' | 'unpin'; readonly id: string } & Moment);

/** window.__vitrine: for tests, and for who embeds the page and wants to know where it stands. */
export interface VitrineHandle {
  /** Of the last frame seen. showTimeMs and date (UTC, ms) are null while unknown; mediaTime and latency in seconds. */
  clock(): { showTimeMs: number | null; date: number | null; mediaTime: number; latency: number | null };
  /** The ids of the pins on the picture. */
  pins(): string[];
  readonly state: Phase;
  readonly events: readonly ProbeEvent[];
}

declare global {
  interface Window {
    __vitrine?: VitrineHandle;
  }
}

const keep = 500;

export class Probe {
  private readonly events: ProbeEvent[] = [];
  private last: Phase | null = null;

  constructor(
    private readonly pins: PinTrack,
    private readonly phase: () => Phase,
    private readonly latencyMs: () => number | null,
  ) {
    pins.onChange = (id, visible, moment) => this.note({ at: performance.now(), type: visible ? 'pin' : 'unpin', id, ...moment });
  }

  install(): void {
    const { pins, phase, latencyMs, events } = this;
    window.__vitrine = {
      clock() {
        const { showMs, dateMs, mediaTime } = pins.moment;
        const ms = latencyMs();
        return { showTimeMs: showMs, date: dateMs, mediaTime, latency: ms === null ? null : ms / 1000 };
      },
      pins: () => pins.ids(),
      get state() {
        return phase();
      },
      events,
    };
  }

  state(state: Phase): void {
    if (state === this.last) return;
    this.last = state;
    this.note({ at: performance.now(), type: 'state', state });
  }

  private note(event: ProbeEvent): void {
    this.events.push(event);
    if (this.events.length > keep) this.events.shift();
  }
}
