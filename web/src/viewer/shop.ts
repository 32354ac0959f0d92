import { ShopClient } from '../shop/client';
import type { Desk, Place } from '../shop/desk';
import { Funnel } from '../shop/funnel';
import { OrdersPage } from '../shop/orders-page';
import { ProductPage } from '../shop/product-page';
import type { Pin } from '../timeline/pins';
import type { I18n } from './i18n';
import type { Bag, BagPage } from './ui/bag';

export type Where = Pick<Place, 'showId' | 'showTimeMs' | 'source'>;

/** Buying beside the show: the pages of the shop in the place of the bag, and what they need to know of the show. */
export class Shop implements Desk {
  readonly client = new ShopClient();
  readonly base = location.href;
  private readonly funnel = new Funnel(this.client);
  private readonly came = new URLSearchParams(location.search); // by which link the viewer came

  constructor(
    readonly i18n: I18n,
    private readonly bag: Bag,
    private readonly where: () => Where,
    readonly redraw: () => void,
  ) {}

  place(): Place {
    return { ...this.where(), shareCode: this.came.get('s') ?? '', channel: this.came.get('channel') ?? '' };
  }

  product(productId: string, pinId: string | null, opener: HTMLElement | null): void {
    this.note('click', productId, pinId);
    this.bag.push(new ProductPage(this, productId, pinId), opener);
  }

  orders(): void {
    this.bag.push(new OrdersPage(this));
  }

  open(page: BagPage): void {
    this.bag.push(page);
  }

  back(): void {
    this.bag.pop();
  }

  openInstead(page: BagPage): void {
    this.bag.replaceAll(page);
  }

  note(what: 'click' | 'add', productId: string, pinId: string | null): void {
    this.funnel.note(what, this.place(), productId, pinId);
  }

  /** A card has come onto the picture. */
  seen(pin: Pin): void {
    this.funnel.note('exposure', this.place(), pin.productId, pin.id);
  }
}
