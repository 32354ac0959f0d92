import { readEvent } from '../channel/frames';
import { isFields } from '../product/product';
import { Timeline } from '../timeline/timeline';
import { ApiError, type EditorApi } from './api';
import type { Signals, Wave } from './model/curve';
import { noBoard, type Board } from './model/storyboard';
import type { Highlight, Replay } from './wire';

const againMs = 15_000;
const curvePoints = 1_500;

/**
 * What the page can do without, and gets when it is there: small pictures, sound, curves, highlights, pins. It asks again while
 * something is still being made.
 */
export class Extras {
  board: Board = noBoard;
  wave: Wave | null = null;
  signals: Signals | null = null;
  highlights: readonly Highlight[] | null = null;
  pins: Timeline;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;
  private durationMs = 0;

  constructor(
    private readonly api: EditorApi,
    private readonly onChange: () => void,
  ) {
    this.pins = new Timeline(api.show, location.href);
  }

  /** Begins to gather, or takes note that the show has grown. */
  start(replay: Replay): void {
    const grown = replay.durationMs !== this.durationMs;
    this.durationMs = replay.durationMs;
    this.stopped = false;
    if (this.timer === undefined || (grown && this.complete)) void this.gather();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  take(h: Highlight): void {
    this.highlights = (this.highlights ?? []).map((o) => (o.id === h.id ? h : o));
    this.onChange();
  }

  private get complete(): boolean {
    return this.board.complete && this.wave !== null && this.wave.durationMs >= this.durationMs - 1_000 && this.signals !== null && this.highlights !== null;
  }

  private async gather(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => undefined, 0);
    const stepMs = Math.max(1_000, Math.ceil(this.durationMs / curvePoints / 1_000) * 1_000);
    const put = <T>(ask: Promise<T>, to: (v: T) => void): Promise<void> =>
      ask.then(
        (v) => {
          to(v);
          this.onChange();
        },
        (why: unknown) => {
          if (!(why instanceof ApiError)) throw why; // a fault of ours; what the server refuses is asked for again later
        },
      );
    await Promise.all([
      put(this.api.highlights(), (v) => (this.highlights = v)),
      put(this.api.signals(stepMs), (v) => (this.signals = v)),
      put(this.api.timeline(), (v) => this.readPins(v)),
      this.board.complete ? null : put(this.api.board(), (v) => (this.board = v)),
      put(this.api.wave(), (v) => (this.wave = v ?? this.wave)),
    ]);
    if (!this.stopped && !this.complete) this.timer = setTimeout(() => void this.gather(), againMs);
  }

  private readPins(v: unknown): void {
    if (!isFields(v) || !Array.isArray(v.events)) return;
    const pins = new Timeline(this.api.show, location.href);
    for (const e of v.events as unknown[]) {
      const event = readEvent(e);
      if (event) pins.event(event);
    }
    this.pins = pins;
  }
}
