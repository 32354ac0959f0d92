import { ShopClient } from '../shop/client';
import type { Desk, Place } from '../shop/desk';
import { Funnel } from '../shop/funnel';
import { Likes } from '../shop/likes';
import { LotteryPage } from '../shop/lottery-page';
import { OffersBar } from '../shop/offers-bar';
import { OrdersPage } from '../shop/orders-page';
import { ProductPage } from '../shop/product-page';
import { remind } from '../shop/reminders';
import { troubleText } from '../shop/trouble';
import type { OfferState } from '../timeline/offers';
import type { Pin } from '../timeline/pins';
import type { I18n } from './i18n';
import type { Bag, BagPage } from './ui/bag';

export type Where = Pick<Place, 'showId' | 'showTimeMs' | 'source'>;

/** Buying and taking part beside the show: the pages of the shop in the place of the bag, the offers on the picture. */
export class Shop implements Desk {
  readonly client = new ShopClient();
  readonly base = location.href;
  readonly offers: OffersBar;
  readonly likes = new Likes(this.client, () => this.where().showId);
  bag: Bag | null = null; // made after this, with the page
  private readonly funnel = new Funnel(this.client);
  private readonly came = new URLSearchParams(location.search); // by which link the viewer came
  private lottery: LotteryPage | null = null;

  constructor(
    readonly i18n: I18n,
    private readonly where: () => Where,
    readonly redraw: () => void,
  ) {
    this.offers = new OffersBar(this, {
      openLottery: (id, known) => this.openLottery(id, known),
      openFlash: (productId) => this.product(productId, null, null),
    });
  }

  /** Brings the offers in line with where the picture stands; whoever has a lottery's page open sees there who won. */
  render(open: readonly OfferState[], showMs: number | null, state: (id: string) => OfferState | null, over: (id: string) => boolean): void {
    this.offers.render(open, showMs, over);
    const told = this.lottery && state(this.lottery.lotteryId);
    if (told) this.lottery?.told(told.offer);
  }

  place(): Place {
    return { ...this.where(), shareCode: this.came.get('share') ?? '', channel: this.came.get('channel') ?? '' };
  }

  product(productId: string, pinId: string | null, opener: HTMLElement | null): void {
    this.note('click', productId, pinId);
    this.bag?.push(new ProductPage(this, productId, pinId), opener);
  }

  orders(): void {
    this.bag?.push(new OrdersPage(this));
  }

  openLottery(id: string, known: Readonly<Record<string, unknown>>): void {
    if (this.lottery?.lotteryId === id && this.lottery.root.isConnected) return;
    this.lottery = new LotteryPage(this, id, known);
    this.bag?.push(this.lottery);
  }

  open(page: BagPage): void {
    this.bag?.push(page);
  }

  back(): void {
    this.bag?.pop();
  }

  openInstead(page: BagPage): void {
    this.bag?.replaceAll(page);
  }

  /** Says something in the show; what went wrong comes back in words. */
  async say(text: string): Promise<string | null> {
    const { showId, showTimeMs } = this.where();
    if (showId === null) return this.i18n.t('talk.closed');
    try {
      const at = showTimeMs === null ? {} : { show_time_ms: Math.round(showTimeMs) };
      const said = await this.client.act('POST', `/api/v1/shows/${encodeURIComponent(showId)}/comments`, { text, ...at });
      return (said as { state?: string } | null)?.state === 'held' ? this.i18n.t('talk.held') : null;
    } catch (why) {
      return troubleText(why, this.i18n);
    }
  }

  /** Asks to be told when a show begins; the answer is what to say. */
  async remind(showId: string): Promise<string> {
    try {
      return this.i18n.t(await remind(this.client, showId));
    } catch (why) {
      return troubleText(why, this.i18n);
    }
  }

  note(what: 'click' | 'add', productId: string, pinId: string | null): void {
    this.funnel.note(what, this.place(), productId, pinId);
  }

  /** A card has come onto the picture. */
  seen(pin: Pin): void {
    this.funnel.note('exposure', this.place(), pin.productId, pin.id);
  }
}
