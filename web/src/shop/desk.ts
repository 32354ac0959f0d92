import type { I18n } from '../viewer/i18n';
import type { BagPage } from '../viewer/ui/bag';
import type { ShopClient } from './client';

/** Where in a show the viewer stands, which an order remembers. It decides no price. */
export interface Place {
  readonly showId: string | null;
  readonly showTimeMs: number | null;
  readonly source: 'live' | 'time_shift' | 'replay' | 'clip' | 'external';
  readonly shareCode: string;
  readonly channel: string;
}

/** What every page of the shop works with. */
export interface Desk {
  readonly i18n: I18n;
  readonly client: ShopClient;
  readonly base: string;
  place(): Place;
  open(page: BagPage): void;
  back(): void;
  /** Leaves what stands before it: nobody goes back to a form that was sent. */
  openInstead(page: BagPage): void;
  /** Something in the page's heading has changed. */
  redraw(): void;
  /** Tells the store what a viewer did. */
  note(what: 'click' | 'add', productId: string, pinId: string | null): void;
}

export interface Attribution {
  show_id?: string;
  pin_id?: string;
  show_time_ms?: number;
  source: string;
  share_code?: string;
  channel?: string;
}

export function attribution(place: Place, pinId: string | null): Attribution {
  return {
    source: place.source,
    ...(place.showId === null ? {} : { show_id: place.showId }),
    ...(pinId === null ? {} : { pin_id: pinId }),
    ...(place.showTimeMs === null ? {} : { show_time_ms: Math.max(0, Math.round(place.showTimeMs)) }),
    ...(place.shareCode === '' ? {} : { share_code: place.shareCode }),
    ...(place.channel === '' ? {} : { channel: place.channel }),
  };
}
