import { backoff } from './backoff';
import { readFrame, type Frame, type Position } from './frames';
import { transports, type Sink, type Transport } from './transports';

export type ChannelStatus = 'connecting' | 'open' | 'waiting' | 'off';

export interface ChannelOptions {
  readonly url: string;
  readonly onFrame: (frame: Frame) => void;
  readonly onStatus?: (status: ChannelStatus) => void;
  readonly transports?: readonly Transport[];
  readonly random?: () => number;
}

/** A connection that has not said hello by then is taken for dead. */
const helloMs = 8_000;
/** A connection that lasted this long was a good one: the next back-off starts anew. */
const settledMs = 5_000;
/** So many failures in a row, without one hello, and the next transport is tried. */
const triesPerTransport = 2;

/**
 * Follows a room: WebSocket first, then server-sent events, then long-poll. It reconnects by itself for as long as it
 * is on, and resumes from its position, so that its listener sees every event once and in order, or a snapshot.
 */
export class Channel {
  private position: Position | null = null;
  private readonly ways: readonly Transport[];
  private way = 0;
  private failures = 0; // of this transport, in a row
  private attempt = 0;
  private close: (() => void) | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private settle: ReturnType<typeof setTimeout> | undefined;
  private current: ChannelStatus = 'off';

  constructor(private readonly options: ChannelOptions) {
    this.ways = options.transports ?? transports();
  }

  get status(): ChannelStatus {
    return this.current;
  }

  start(): void {
    if (this.current === 'off') this.connect();
  }

  /** Lets go of the connection; start() resumes where it was. */
  stop(): void {
    this.hangUp();
    this.tell('off');
  }

  /** Tries again at once when the channel is only waiting for its next try. */
  wake(): void {
    if (this.current !== 'waiting') return;
    this.attempt = 0;
    this.connect();
  }

  private connect(): void {
    this.hangUp();
    this.tell('connecting');
    const way = this.ways[this.way % this.ways.length];
    if (!way) return;
    let live = true;
    const sink: Sink = {
      frame: (f) => live && this.take(f),
      opened: () => live && this.established(),
      moved: (p) => live && (this.position = p),
      lost: (resync) => live && this.lost(resync),
    };
    this.timer = setTimeout(() => this.lost(false), helloMs);
    try {
      const close = way(this.options.url, () => this.position, sink);
      this.close = () => {
        live = false;
        close();
      };
    } catch {
      this.lost(false);
    }
  }

  private take(raw: unknown): void {
    this.established();
    const frame = readFrame(raw, this.options.url);
    if (!frame || !this.advance(frame)) return;
    this.options.onFrame(frame);
  }

  /** Moves the position; false for an event that was seen before. */
  private advance(frame: Frame): boolean {
    if (frame.type === 'snapshot') this.position = frame.position;
    if (frame.type !== 'event') return true;
    const at = this.position;
    if (at?.epoch === frame.position.epoch && frame.position.offset <= at.offset) return false;
    this.position = frame.position;
    return true;
  }

  private established(): void {
    if (this.current === 'open') return;
    clearTimeout(this.timer);
    this.failures = 0;
    this.settle = setTimeout(() => (this.attempt = 0), settledMs);
    this.tell('open');
  }

  private lost(resync: boolean): void {
    const hadHello = this.current === 'open';
    this.hangUp();
    if (!hadHello && ++this.failures >= triesPerTransport) {
      this.failures = 0;
      this.way++;
    }
    const wait = resync ? backoff(0, this.options.random) : backoff(this.attempt++, this.options.random);
    this.timer = setTimeout(() => this.connect(), wait);
    this.tell('waiting');
  }

  private hangUp(): void {
    clearTimeout(this.timer);
    clearTimeout(this.settle);
    this.close?.();
    this.close = null;
  }

  private tell(status: ChannelStatus): void {
    if (this.current === status) return;
    this.current = status;
    this.options.onStatus?.(status);
  }
}

/** A hidden page lets go of its connection after this long; it resumes when it is seen again. */
const hiddenMs = 60_000;

/** Ties a channel to the page: rests while nobody looks, wakes when somebody does or the network is back. */
export function tieToPage(channel: Channel, page: Document = document): void {
  let rest: ReturnType<typeof setTimeout> | undefined;
  page.addEventListener('visibilitychange', () => {
    clearTimeout(rest);
    if (page.visibilityState === 'hidden') {
      rest = setTimeout(() => channel.stop(), hiddenMs);
      return;
    }
    channel.start();
    channel.wake();
  });
  page.defaultView?.addEventListener('online', () => channel.wake());
}
