import { newKey, type ShopClient } from './client';
import { attribution, type Place } from './desk';

const flushMs = 3_000;
const batch = 50;
/** What cannot be sent is forgotten, the oldest first: a report is no reason to keep a phone busy. */
const most = 200;

interface Note {
  readonly id: string;
  readonly kind: string;
  readonly product_id: string;
}

/** Tells the store what viewers see and tap, in batches. */
export class Funnel {
  private notes: Note[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly client: ShopClient) {
    document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && void this.flush());
  }

  note(kind: 'exposure' | 'click' | 'add', place: Place, productId: string, pinId: string | null): void {
    if (place.showId === null) return;
    this.notes.push({ id: newKey(), kind, product_id: productId, ...attribution(place, pinId) });
    this.notes = this.notes.slice(-most);
    this.timer ??= setTimeout(() => void this.flush(), flushMs);
  }

  private async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const events = this.notes.splice(0, batch);
    if (events.length === 0) return;
    try {
      await this.client.act('POST', '/api/v1/events', { events });
    } catch {
      this.notes = [...events, ...this.notes].slice(-most);
    }
    if (this.notes.length > 0) this.timer ??= setTimeout(() => void this.flush(), flushMs);
  }
}
