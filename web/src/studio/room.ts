import { backoff } from '../channel/backoff';
import { Channel, tieToPage } from '../channel/channel';
import type { Frame } from '../channel/frames';
import { ApiError, type StudioApi, type StudioView } from './api';
import type { ServerClock } from './clock';

/** How often the room is asked for, in milliseconds: its health on air, and what may change when it is not. */
const pace = { onAir: 2_000, idle: 5_000, hidden: 15_000, soon: 120 };
const timeEveryMs = 60_000;
const firstTimes = 4; // questions about the time at the beginning

/**
 * The room as the anchor needs it: asked for at a steady pace, and at once when the realtime channel tells that something
 * has changed.
 */
export class StudioRoom {
  status: 'loading' | 'locked' | 'unknown' | 'failed' | 'known' = 'loading';
  view: StudioView | null = null;
  /** The last answer is missing: what is shown may be old. */
  stale = false;
  /** The key that was tried is wrong. */
  wrongKey = false;
  /** Too many wrong keys came from here: the server listens to none for a while. */
  tooMany = false;
  /** What the server says about a failure, "" when nothing. */
  detail = '';
  private told: number | null = null; // viewers, this page among them
  private channel: Channel | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking: Promise<void> | null = null;
  private attempt = 0;
  private timeDue = 0;

  constructor(
    private readonly options: {
      readonly api: StudioApi;
      readonly clock: ServerClock;
      readonly eventsUrl: string;
      readonly hasKey: () => boolean;
      readonly onAir: () => boolean;
      readonly onChange: () => void;
    },
  ) {
    window.addEventListener('online', () => void this.refresh());
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void this.refresh());
  }

  /** How many watch, without this page. */
  get viewers(): number | null {
    return this.told === null ? null : Math.max(0, this.told - 1);
  }

  /** Asks now, and goes on asking. An answer that is under way is waited for and asked for again. */
  async refresh(): Promise<void> {
    await this.asking;
    this.asking ??= this.ask().finally(() => (this.asking = null));
    await this.asking;
  }

  private async ask(): Promise<void> {
    clearTimeout(this.timer);
    if (!this.options.hasKey()) {
      this.status = 'locked';
      this.options.onChange(); return;
    }
    try {
      this.take(await this.options.api.view());
    } catch (why) {
      this.refused(why instanceof ApiError ? why : new ApiError(0, ''));
    }
    this.options.onChange();
    void this.askTime();
  }

  private take(view: StudioView): void {
    this.view = view;
    this.status = 'known';
    this.stale = this.wrongKey = this.tooMany = false;
    this.detail = '';
    this.attempt = 0;
    this.again(document.visibilityState === 'hidden' ? pace.hidden : this.options.onAir() ? pace.onAir : pace.idle);
    this.openChannel();
  }

  private refused(why: ApiError): void {
    this.detail = why.detail;
    this.tooMany = why.status === 429;
    if (why.status === 401 || why.status === 403) {
      this.status = 'locked';
      this.wrongKey = true;
      return;
    }
    this.stale = true;
    if (why.status === 404 && !this.view) {
      this.status = 'unknown';
      return;
    }
    if (!this.view) this.status = this.tooMany ? 'locked' : 'failed';
    this.again(backoff(this.attempt++, Math.random, 1_000, 10_000));
  }

  private again(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), ms);
  }

  private openChannel(): void {
    if (this.channel) return;
    this.channel = new Channel({ url: this.options.eventsUrl, onFrame: (f) => this.hear(f) });
    tieToPage(this.channel);
    this.channel.start();
  }

  private hear(frame: Frame): void {
    if (frame.type === 'state') {
      if (frame.key === 'viewers') this.told = frame.value;
      this.options.onChange();
    } else if (frame.type === 'event' || frame.type === 'snapshot') {
      this.again(pace.soon);
    }
  }

  private async askTime(): Promise<void> {
    const { api, clock } = this.options;
    const now = performance.now();
    if (now < this.timeDue) return;
    this.timeDue = now + timeEveryMs;
    for (let i = clock.known ? 1 : firstTimes; i > 0; i--) {
      try {
        const { askedMs, answeredMs, serverMs } = await api.time();
        clock.learn(askedMs, answeredMs, serverMs);
      } catch {
        this.timeDue = now + 5_000;
        return;
      }
    }
  }
}
