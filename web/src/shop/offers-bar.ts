import { formatPrice } from '../product/money';
import { el, setAttr, setText } from '../ui/dom';
import { icon } from '../viewer/ui/icons';
import type { OfferState } from '../timeline/offers';
import type { Desk } from './desk';
import { troubleText } from './trouble';

/** As many as stand on the picture at once; the newest are what the host talks about. */
const most = 3;

export interface OfferActions {
  openLottery(id: string, known: Readonly<Record<string, unknown>>): void;
  openFlash(productId: string): void;
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '');
const count = (v: unknown): number | null => (typeof v === 'number' && Number.isFinite(v) ? v : null);
const icons = { coupon: 'ticket', flash_sale: 'bag', red_packet: 'gift', lottery: 'gift' } as const;

/** What viewers can take part in now: coupons and red packets with one tap, flash sales and lotteries by their page. */
export class OffersBar {
  readonly root = el('div', { class: 'offers', 'aria-live': 'polite' });
  private readonly claimed = new Map<string, string>(); // what became of a tap, by offer
  private readonly asking = new Set<string>();
  private shown: readonly OfferState[] = [];
  private over: ReadonlySet<string> = new Set(); // cannot be taken any more, as in a replay
  private drawn = '';

  constructor(
    private readonly desk: Desk,
    private readonly actions: OfferActions,
  ) {}

  /** Shows what is open where the picture stands. Cheap: called with every update of the page. */
  render(open: readonly OfferState[], showMs: number | null, over: (id: string) => boolean): void {
    this.shown = open.slice(-most);
    this.over = new Set(this.shown.filter((o) => over(o.id)).map((o) => o.id));
    const drawn = JSON.stringify([this.desk.i18n.lang, this.shown, [...this.claimed], [...this.asking], [...this.over]]);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.root.replaceChildren(...this.shown.map((o) => this.pill(o)));
    }
    for (const [i, o] of this.shown.entries()) this.countDown(this.root.children[i], o, showMs);
  }

  private pill(o: OfferState): HTMLElement {
    const told = this.claimed.get(o.id);
    const button = el(
      'button',
      { class: 'offer', type: 'button', 'data-kind': o.kind, 'data-offer': o.id, 'data-claimed': told !== undefined, 'data-over': this.over.has(o.id) },
      icon(icons[o.kind]),
      el('span', { class: 'offer-text' }, el('strong', {}, this.name(o)), el('span', { class: 'offer-facts' }, told ?? this.facts(o))),
    );
    button.disabled = (this.over.has(o.id) && o.kind !== 'lottery') || this.asking.has(o.id) || (told !== undefined && o.kind !== 'lottery');
    button.addEventListener('click', () => this.tap(o));
    return button;
  }

  private name(o: OfferState): string {
    const { i18n } = this.desk;
    const currency = text(o.offer.currency);
    const amount = count(o.offer.amount);
    const percent = count(o.offer.percent);
    const price = count(o.offer.price);
    if (o.kind === 'coupon' && amount) return i18n.t('offer.amountOff', { amount: formatPrice(amount, currency, i18n.lang) });
    if (o.kind === 'coupon' && percent) return i18n.t('offer.percentOff', { discount: i18n.lang === 'zh-CN' ? (10_000 - percent) / 1000 : percent / 100 });
    if (o.kind === 'flash_sale' && price !== null) return i18n.t('offer.flash', { price: formatPrice(price, currency, i18n.lang) });
    return text(o.offer.title) || i18n.t(`offer.${o.kind}`);
  }

  private facts(o: OfferState): string {
    const { i18n } = this.desk;
    const least = count(o.offer.min_spend);
    if (this.over.has(o.id)) return i18n.t('offer.over');
    if (o.state === 'sold_out') return i18n.t('product.soldOut');
    if (o.kind === 'coupon' && least) return i18n.t('offer.minSpend', { amount: formatPrice(least, text(o.offer.currency), i18n.lang) });
    return o.kind === 'flash_sale' ? text(o.offer.title) : i18n.t(`offer.${o.kind}.tap`);
  }

  private countDown(node: Element | undefined, o: OfferState, showMs: number | null): void {
    const end = count(o.offer.ends_at_ms) ?? count(o.offer.closes_ms);
    const facts = node?.querySelector('.offer-facts');
    if (!node || !facts || end === null || showMs === null || this.claimed.has(o.id) || this.over.has(o.id) || o.state === 'sold_out') return;
    const left = Math.max(0, Math.ceil((end - showMs) / 1000));
    setText(facts, `${this.facts(o)} · ${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`);
    setAttr(node, 'data-urgent', left <= 10);
  }

  private tap(o: OfferState): void {
    if (o.kind === 'lottery') this.actions.openLottery(o.id, o.offer);
    else if (o.kind === 'flash_sale') this.actions.openFlash(text(o.offer.product_id));
    else void this.claim(o);
  }

  private async claim(o: OfferState): Promise<void> {
    const { i18n, client } = this.desk;
    this.asking.add(o.id);
    this.desk.redraw();
    try {
      const what = o.kind === 'coupon' ? 'coupons' : 'red-packets';
      const { showId, showTimeMs } = this.desk.place();
      const at = showTimeMs === null ? {} : { position_ms: Math.max(0, Math.round(showTimeMs)) };
      const got = (await client.act('POST', `/api/v1/shows/${encodeURIComponent(showId ?? '')}/${what}/${encodeURIComponent(o.id)}/claim`, at)) as Readonly<Record<string, unknown>> | null;
      const amount = count(got?.amount);
      const words = o.kind === 'red_packet' && amount ? i18n.t('offer.won', { amount: formatPrice(amount, text(got?.currency) || text(o.offer.currency), i18n.lang) }) : i18n.t('offer.claimed');
      this.claimed.set(o.id, words);
    } catch (why) {
      this.claimed.set(o.id, troubleText(why, i18n));
    } finally {
      this.asking.delete(o.id);
      this.desk.redraw();
    }
  }
}
