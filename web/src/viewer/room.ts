import { backoff } from '../channel/backoff';
import { Channel, tieToPage } from '../channel/channel';
import { readRoomState, type Frame, type RoomState, type ShowView, type TimelineEvent } from '../channel/frames';
import { isFields, readProduct, readProducts, type Product } from '../product/product';
import { fetchRoom, UnknownRoom, type RoomPage } from './room-api';
import { Timeline } from '../timeline/timeline';

const pollMs = 10_000; // while the channel is down
const refreshMs = 60_000; // while it is up: a safety net
const spreadMs = 3_000; // thousands of viewers hear of a change in the same instant

/**
 * A room as the server tells it: its public page first, then the realtime channel; the page again whenever the channel
 * is down or says less than needed.
 */
export class Room {
  status: 'loading' | 'unknown' | 'failed' | 'known' = 'loading';
  title = '';
  state: RoomState = 'idle';
  show: ShowView | null = null;
  lastShow: ShowView | null = null;
  products: readonly Product[] = [];
  viewers: number | null = null;
  likes: number | null = null; // of the show
  nextShow: ShowView | null = null;
  liveUrl = '';
  dvrUrl: string | null = null;
  private offsetMs: number | null = null; // the server's clock minus ours
  private channel: Channel | null = null;
  private readonly timelines = new Map<string, Timeline>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private asking = false;

  constructor(
    readonly id: string,
    private readonly base: string,
    private readonly onChange: () => void,
  ) {
    window.addEventListener('online', () => void this.refresh());
  }

  /** The id of the show on air or interrupted. */
  get showOnAir(): string | null {
    return this.state === 'live' || this.state === 'interrupted' ? (this.show?.id ?? null) : null;
  }

  get channelStatus(): string {
    return this.channel?.status ?? 'off';
  }

  /** The server's wall clock, null until it told. */
  serverNow(): number | null {
    return this.offsetMs === null ? null : Date.now() + this.offsetMs;
  }

  /**
   * Takes an instant that has passed on the server's clock. A message that was late makes the server look behind, never
   * ahead: the greatest difference is the truest.
   */
  serverPassed(instantMs: number): void {
    this.offsetMs = Math.max(this.offsetMs ?? -Infinity, instantMs - Date.now());
  }

  timeline(showId: string): Timeline {
    const known = this.timelines.get(showId);
    if (known) return known;
    const made = new Timeline(showId, this.base);
    this.timelines.set(showId, made);
    return made;
  }

  product(id: string): Product | null {
    return this.products.find((p) => p.id === id) ?? null;
  }

  /** Reads the public page, and goes on reading it at a pace that fits the state of the channel. */
  async refresh(): Promise<void> {
    if (this.asking || this.status === 'unknown') return;
    this.asking = true;
    clearTimeout(this.timer);
    let next = this.channelStatus === 'open' ? refreshMs : pollMs;
    try {
      this.takePage(await fetchRoom(this.id, this.base));
      this.attempt = 0;
    } catch (why) {
      next = backoff(this.attempt++, Math.random, 1_000, 15_000);
      if (this.status !== 'known') this.status = why instanceof UnknownRoom ? 'unknown' : 'failed';
    } finally {
      this.asking = false;
    }
    if (this.status !== 'unknown') this.timer = setTimeout(() => void this.refresh(), next);
    this.onChange();
  }

  private takePage(page: RoomPage): void {
    this.status = 'known';
    this.title = page.room.title;
    this.lastShow = page.lastShow;
    this.nextShow = page.nextShow;
    this.liveUrl = page.liveUrl;
    this.dvrUrl = page.dvrUrl;
    this.products = page.products;
    // The channel is ahead of a page that was asked for before a change.
    if (this.channelStatus !== 'open') {
      this.state = page.room.state;
      this.show = page.show;
    }
    this.openChannel(page.eventsUrl);
  }

  private openChannel(url: string): void {
    if (this.channel) return;
    this.channel = new Channel({
      url,
      onFrame: (f) => this.take(f),
      onStatus: (s) => {
        if (s === 'waiting') this.refreshSoon(1_000);
      },
    });
    tieToPage(this.channel);
    this.channel.start();
  }

  private refreshSoon(withinMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), Math.random() * withinMs);
  }

  private take(frame: Frame): void {
    switch (frame.type) {
      case 'hello':
        if (frame.serverMs !== null) this.serverPassed(frame.serverMs);
        break;
      case 'snapshot':
        this.takeSnapshot(frame);
        break;
      case 'event':
        this.takeEvent(this.timeline(frame.position.epoch), frame.event);
        break;
      case 'state':
        if (frame.key === 'viewers') this.viewers = frame.value;
        if (frame.key === 'likes') this.likes = frame.value;
    }
    this.onChange();
  }

  private takeSnapshot(s: Extract<Frame, { type: 'snapshot' }>): void {
    this.title = s.room.title || this.title;
    this.state = s.room.state;
    this.products = s.products;
    this.show = s.show;
    if (!s.show) return;
    const timeline = this.timeline(s.show.id);
    timeline.epochs.tell(s.epochs);
    for (const o of s.offers) timeline.offers.take(o);
    for (const c of s.comments) timeline.talk.put(c);
    this.likes = s.likes;
    const now = this.serverNow();
    const over = s.show.state === 'ended' || s.show.state === 'interrupted';
    timeline.snapshot(s.pins, s.epochs, over ? s.show.durationMs : now === null ? null : timeline.epochs.showAt(now));
  }

  private takeEvent(timeline: Timeline, event: TimelineEvent): void {
    timeline.event(event);
    if (event.type === 'state' && isFields(event.data)) this.takeState(timeline, readRoomState(event.data.state), event);
    this.takeProducts(event.type, event.data);
  }

  /** The show of a room has changed its state: an event tells, a snapshot comes only with another show. */
  private takeState(timeline: Timeline, state: RoomState, at: TimelineEvent): void {
    if (state === 'live') timeline.epochs.anchor(at); // it goes live with the first picture of an epoch
    if (this.show?.id !== timeline.showId) return;
    this.state = state;
    this.show = { ...this.show, state, durationMs: Math.max(this.show.durationMs, at.showMs) };
  }

  /** The pieces of a SKU have changed. What that makes of a product with several of them, its page tells. */
  private takeStock(data: unknown): void {
    if (!isFields(data) || typeof data.available !== 'number') return;
    const { product_id: id, available } = data;
    const of = this.products.find((p) => p.id === id);
    if (!of) return;
    if (of.skuCount === 1) this.products = this.products.map((p) => (p === of ? { ...p, stock: available } : p));
    else this.refreshSoon(spreadMs);
  }

  /** Takes a change of the bag from the event when it carries one, else from the page. */
  private takeProducts(type: string, data: unknown): void {
    if (type === 'stock') this.takeStock(data);
    if (type !== 'bag' && type !== 'product') return;
    const one = isFields(data) ? readProduct(data.product, this.base) : null;
    if (one) {
      this.products = this.products.map((p) => (p.id === one.id ? one : p));
    } else if (isFields(data) && Array.isArray(data.products)) {
      this.products = readProducts(data.products, this.base);
    } else {
      this.refreshSoon(spreadMs);
    }
  }
}
