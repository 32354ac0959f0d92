import { isFields } from '../product/product';

/** Something that viewers said or did, at an instant of the show. */
export interface Said {
  readonly id: string;
  readonly showMs: number;
  readonly kind: 'comment' | 'order';
  readonly name: string;
  readonly text: string; // of a comment
  readonly productId: string; // of an order
}

/** As many as are kept of one show: a page is no archive. */
const most = 2_000;

const text = (v: unknown): string => (typeof v === 'string' ? v : '');

/** What viewers said in one show. Live and replay ask the same question: what had been said by now. */
export class Talk {
  private said: Said[] = []; // in the order of the show
  private readonly ids = new Set<string>();
  private readonly hidden = new Set<string>();

  /** Takes an event of the log; those about other things pass by. */
  event(type: string, seq: number, showMs: number, data: unknown): void {
    if (!isFields(data)) return;
    if (type === 'comment_hidden') return this.hide(text(data.id));
    if (type === 'comment' && data.hidden !== true) this.put({ id: text(data.id), showMs, kind: 'comment', name: text(data.name), text: text(data.text), productId: '' });
    if (type === 'order') this.put({ id: `order-${seq}`, showMs, kind: 'order', name: text(data.buyer), text: '', productId: text(data.product_id) });
  }

  put(s: Said): void {
    if (s.id === '' || this.ids.has(s.id) || this.hidden.has(s.id)) return;
    this.ids.add(s.id);
    let at = this.said.length;
    while (at > 0 && (this.said[at - 1]?.showMs ?? 0) > s.showMs) at--;
    this.said.splice(at, 0, s);
    if (this.said.length > most) for (const old of this.said.splice(0, this.said.length - most)) this.ids.delete(old.id);
  }

  hide(id: string): void {
    this.hidden.add(id);
    this.ids.delete(id);
    this.said = this.said.filter((s) => s.id !== id);
  }

  /** The newest ones at an instant, oldest first; what was said longer ago than withinMs is left out. */
  at(showMs: number, count: number, withinMs: number): Said[] {
    return this.said.filter((s) => s.showMs <= showMs && s.showMs > showMs - withinMs).slice(-count);
  }
}
