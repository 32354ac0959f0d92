import { backoff } from '../channel/backoff';
import { ApiError, type ClipWish, type EditorApi } from './api';
import { readClip, type Clip } from './wire';

const relistMs = 15_000;
const tries = 5;
const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** The clips of the show, as they become. It lists them at each connection and hears of changes in between. */
export class ClipDesk {
  clips: readonly Clip[] = [];
  known = false;
  /** Requests that are not answered yet. */
  pending = 0;
  private events: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;

  constructor(
    private readonly api: EditorApi,
    private readonly onChange: () => void,
    private readonly signIn: () => Promise<boolean>,
  ) {}

  start(): void {
    if (this.events) return;
    void this.list();
    this.listen();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.events?.close();
    this.events = null;
  }

  /** Asks for a clip, or for one of each product. The same wish is never made twice. Throws ApiError. */
  async make(wish: ClipWish, each: boolean): Promise<void> {
    const key = crypto.getRandomValues(new Uint32Array(4)).join('-');
    const made = await this.surely(async () => (each ? this.api.makeChapterClips(wish, key) : [await this.api.makeClip(wish, key)]));
    made.forEach((c) => this.take(c));
    this.onChange();
  }

  /** Cancels a clip or tries it again. Throws ApiError. */
  async act(id: string, act: 'cancel' | 'retry'): Promise<void> {
    this.take(await this.surely(() => this.api.clipAct(id, act)));
    this.onChange();
  }

  /** Deletes a clip; one that is gone already is as good. Throws ApiError. */
  async remove(id: string): Promise<void> {
    try {
      await this.surely(() => this.api.deleteClip(id));
    } catch (why) {
      if (!(why instanceof ApiError) || why.status !== 404) throw why;
    }
    this.clips = this.clips.filter((c) => c.id !== id);
    this.onChange();
  }

  private async surely<T>(act: () => Promise<T>): Promise<T> {
    this.pending++;
    this.onChange();
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          return await act();
        } catch (why) {
          if (!(why instanceof ApiError) || attempt >= tries) throw why;
          if (why.status === 401) {
            if (!(await this.signIn())) throw why;
          } else if (why.unknown) await wait(backoff(attempt, Math.random, 500, 8_000));
          else throw why;
        }
      }
    } finally {
      this.pending--;
      this.onChange();
    }
  }

  private async list(): Promise<void> {
    try {
      this.clips = await this.api.clips();
      this.known = true;
      this.onChange();
    } catch {
      // The connection for changes says so too, and lists again when it is back.
    }
  }

  private listen(): void {
    const events = new EventSource(this.api.clipEvents);
    this.events = events;
    events.onopen = () => {
      if (this.attempt > 0 || !this.known) void this.list();
      this.attempt = 0;
    };
    events.addEventListener('clip', (e: MessageEvent<string>) => {
      const clip = readClip(parse(e.data));
      if (!clip) return;
      this.take(clip);
      this.onChange();
    });
    events.onerror = () => {
      this.attempt++;
      if (events.readyState !== EventSource.CLOSED) return; // the browser comes back by itself
      this.timer = setTimeout(() => {
        void this.list();
        this.listen();
      }, backoff(this.attempt, Math.random, 1_000, relistMs));
    };
  }

  private take(clip: Clip): void {
    const at = this.clips.findIndex((c) => c.id === clip.id);
    this.clips = at < 0 ? [clip, ...this.clips] : this.clips.map((c, i) => (i === at ? clip : c));
  }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
