import { isFields } from '../product/product';

export type OfferKind = 'coupon' | 'flash_sale' | 'red_packet' | 'lottery';

/** How an offer stands from one instant of the show on. */
export interface OfferState {
  readonly kind: OfferKind;
  readonly id: string;
  readonly showMs: number;
  readonly open: boolean;
  readonly state: string;
  readonly offer: Readonly<Record<string, unknown>>; // what viewers see of it
}

const kinds: readonly string[] = ['coupon', 'flash_sale', 'red_packet', 'lottery'];

/** Reads the data of an event about an offer; null for other events. */
export function readOffer(type: string, showMs: number, data: unknown): OfferState | null {
  if (!kinds.includes(type) || !isFields(data) || typeof data.id !== 'string') return null;
  return {
    kind: type as OfferKind,
    id: data.id,
    showMs,
    open: data.open === true,
    state: typeof data.state === 'string' ? data.state : '',
    offer: isFields(data.offer) ? data.offer : {},
  };
}

/** The offers of one show. What it says of an instant depends on nothing else, so that live and replay agree. */
export class Offers {
  private readonly states = new Map<string, OfferState[]>(); // of each offer, in the order of the show

  take(s: OfferState): void {
    const list = this.states.get(s.id) ?? [];
    const same = list.findIndex((o) => o.showMs === s.showMs && o.state === s.state);
    if (same >= 0) list[same] = s;
    else list.push(s);
    list.sort((a, b) => a.showMs - b.showMs);
    this.states.set(s.id, list);
  }

  /** How one offer stands at an instant, open or not; null before it was there. */
  state(id: string, showMs: number): OfferState | null {
    return (this.states.get(id) ?? []).filter((o) => o.showMs <= showMs).pop() ?? null;
  }

  /**
   * Whether an offer cannot be taken any more, wherever the picture stands: by the newest of what is known. Once its show is
   * over, only what was meant for replays can be.
   */
  over(id: string, afterShow: boolean): boolean {
    const list = this.states.get(id) ?? [];
    const newest = list[list.length - 1];
    return newest?.open === false || (afterShow && newest?.kind !== 'lottery' && newest?.offer.claim_in !== 'replay');
  }

  /** What viewers can take part in at an instant of the show, in the order in which it opened. */
  at(showMs: number): OfferState[] {
    const open: { since: number; now: OfferState }[] = [];
    for (const list of this.states.values()) {
      const now = list.filter((o) => o.showMs <= showMs).pop();
      if (now?.open) open.push({ since: list[0]?.showMs ?? 0, now });
    }
    return open.sort((a, b) => a.since - b.since).map((o) => o.now);
  }
}
