import { readPin, type TimelineEvent } from '../channel/frames';
import { isFields } from '../product/product';
import { Epochs, type Epoch } from './epochs';
import { Talk } from './talk';
import { Offers, readOffer } from './offers';
import type { Pin } from './pins';

/** A pin as a playlist tells of it: EXT-X-DATERANGE of class vitrine.pin. */
export interface PinRange {
  readonly id: string;
  readonly productId: string;
  readonly title: string;
  readonly showMs: number | null; // X-SHOW-TIME-MS
  readonly startWallMs: number;
  readonly endWallMs: number | null;
}

type Source = 'log' | 'playlist' | 'snapshot';

interface Entry {
  pin: Pin;
  endFrom: Source | null;
}

/**
 * What one show has pinned, gathered from everywhere: the channel's events and snapshots, the sidecar of a replay, the
 * playlists. They overlap and come in any order; a pin is one pin by its id.
 */
export class Timeline {
  readonly epochs = new Epochs();
  readonly offers = new Offers();
  readonly talk = new Talk();
  private readonly entries = new Map<string, Entry>();
  private readonly endsAhead = new Map<string, number>(); // an unpin that came before its pin
  private sorted: readonly Pin[] | null = null;

  constructor(
    readonly showId: string,
    private readonly base: string,
  ) {}

  pins(): readonly Pin[] {
    this.sorted ??= [...this.entries.values()].map((e) => e.pin).sort((a, b) => a.startMs - b.startMs);
    return this.sorted;
  }

  /** The next instant after showMs at which a pin comes or goes, Infinity when there is none. */
  nextChange(showMs: number): number {
    let next = Infinity;
    for (const p of this.pins()) {
      for (const at of [p.startMs, p.endMs ?? Infinity]) if (at > showMs && at < next) next = at;
    }
    return next;
  }

  /** Takes an event of the log. */
  event(e: TimelineEvent): void {
    this.talk.event(e.type, e.seq, e.showMs, e.data);
    if (!isFields(e.data)) return;
    if (e.type === 'pin') {
      const pin = readPin(e.data.pin, this.base);
      if (pin) this.put({ ...pin, startMs: e.showMs });
    } else if (e.type === 'unpin' && typeof e.data.pin_id === 'string') {
      this.end(e.data.pin_id, e.showMs, 'log');
    } else {
      const offer = readOffer(e.type, e.showMs, e.data);
      if (offer) this.offers.take(offer);
    }
  }

  /**
   * Takes what the channel says is pinned now. A pin that is open here and not there ended while nobody listened: it
   * ends no later than endedBy, until a playlist or the log says when exactly.
   */
  snapshot(pins: readonly Pin[], epochs: readonly Epoch[], endedBy: number | null): void {
    this.epochs.tell(epochs);
    for (const pin of pins) this.put(pin);
    if (endedBy === null) return;
    const open = new Set(pins.map((p) => p.id));
    for (const [id, e] of this.entries) {
      if (e.pin.endMs === null && !open.has(id) && e.pin.startMs <= endedBy) this.end(id, endedBy, 'snapshot');
    }
  }

  /** Takes the pins of a playlist. They bring the mapping of dates to show time with them. */
  ranges(ranges: readonly PinRange[]): void {
    for (const r of ranges) {
      if (r.showMs !== null) this.epochs.anchor({ showMs: r.showMs, wallMs: r.startWallMs });
      const startMs = r.showMs ?? this.epochs.showAt(r.startWallMs);
      if (startMs === null) continue;
      const known = this.entries.get(r.id)?.pin;
      if (!known) this.put({ ...rangePin(r), startMs });
      if (r.endWallMs !== null) this.endByDate(r, known?.startMs ?? startMs);
    }
  }

  private endByDate(r: PinRange, startMs: number): void {
    const endWall = r.endWallMs ?? r.startWallMs;
    const endMs = this.epochs.showAt(endWall) ?? startMs + (endWall - r.startWallMs);
    this.end(r.id, Math.max(startMs, endMs), 'playlist');
  }

  private put(pin: Pin): void {
    const old = this.entries.get(pin.id);
    const ahead = this.endsAhead.get(pin.id);
    const endMs = ahead ?? old?.pin.endMs ?? pin.endMs;
    this.entries.set(pin.id, { pin: { ...pin, endMs }, endFrom: ahead === undefined ? (old?.endFrom ?? null) : 'log' });
    this.sorted = null;
  }

  private end(id: string, endMs: number, from: Source): void {
    const entry = this.entries.get(id);
    if (!entry) {
      if (from === 'log') this.endsAhead.set(id, endMs);
      return;
    }
    if (trust[from] < (entry.endFrom ? trust[entry.endFrom] : 0)) return;
    if (entry.pin.endMs === endMs && entry.endFrom === from) return;
    this.entries.set(id, { pin: { ...entry.pin, endMs }, endFrom: from });
    this.sorted = null;
  }
}

/** Who is believed about the end of a pin: the log to the millisecond, a playlist's date within its rounding. */
const trust: Readonly<Record<Source, number>> = { snapshot: 1, playlist: 2, log: 3 };

function rangePin(r: PinRange): Omit<Pin, 'startMs'> {
  const product = r.title
    ? { id: r.productId, title: r.title, price: null, currency: '', url: null, imageUrl: null, stock: null, link: 'none' as const, priceMax: null, original: null, showPrice: null, skuCount: null }
    : null;
  return { id: r.id, productId: r.productId, product, featured: false, endMs: null };
}
