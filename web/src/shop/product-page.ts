import { formatPrice } from '../product/money';
import { productImage, stockLevel, stockText, titleText } from '../product/view';
import { el, setAttr, setText, show } from '../ui/dom';
import { icon } from '../viewer/ui/icons';
import type { BagPage } from '../viewer/ui/bag';
import { CheckoutPage } from './checkout-page';
import type { Desk } from './desk';
import { canPick, choices, mostOf, pickedSku, readGoods, type Goods, type Picked, type Sku } from './goods';
import { Trouble } from './trouble';

/** A product's own page: pictures, what speaks for it, which variant, how many. */
export class ProductPage implements BagPage {
  readonly root = el('section', { class: 'bag-page product-page' });
  private readonly body = el('div', { class: 'shop-body' });
  private readonly price = el('strong', { class: 'price' });
  private readonly original = el('s', { class: 'original' });
  private readonly buy = el('button', { class: 'primary buy-now', type: 'button' });
  private readonly foot = el('div', { class: 'shop-foot' }, el('span', { class: 'foot-price' }, this.price, this.original), this.buy);
  private readonly trouble: Trouble;
  private goods: Goods | null = null;
  private picked: Picked = {};
  private quantity = 1;

  constructor(
    private readonly desk: Desk,
    private readonly productId: string,
    private readonly pinId: string | null,
  ) {
    this.trouble = new Trouble(desk.i18n);
    this.root.append(this.body, this.trouble.root, this.foot);
    this.buy.addEventListener('click', () => this.checkout());
    this.skeleton();
  }

  title(): string {
    return this.desk.i18n.t('shop.product');
  }

  shown(): void {
    void this.load();
  }

  left(): void {
    // nothing goes on
  }

  translate(): void {
    this.render();
  }

  private async load(): Promise<void> {
    const { showId } = this.desk.place();
    const query = showId === null ? '' : `?show=${encodeURIComponent(showId)}`;
    try {
      this.goods = readGoods(await this.desk.client.read(`/api/v1/products/${encodeURIComponent(this.productId)}${query}`), this.desk.base);
      this.trouble.clear();
      this.pickTheOnly();
      this.render();
    } catch (why) {
      this.trouble.tell(why, () => void this.load());
    }
  }

  /** What leaves no choice is chosen. */
  private pickTheOnly(): void {
    for (const c of choices(this.goods?.skus ?? [])) {
      if (c.values.length === 1 && c.values[0] !== undefined) this.picked = { ...this.picked, [c.name]: c.values[0] };
    }
  }

  private skeleton(): void {
    this.body.append(el('span', { class: 'bone gallery-bone' }), el('span', { class: 'bone long' }), el('span', { class: 'bone short' }));
    show(this.foot, false);
  }

  private render(): void {
    const { goods } = this;
    if (!goods) return;
    const { i18n } = this.desk;
    const stock = stockText(goods.product, i18n);
    this.body.replaceChildren(
      this.gallery(goods),
      el('h3', { class: 'product-title' }, titleText(goods.product, i18n)),
      goods.points.length > 0 ? el('ul', { class: 'points' }, ...goods.points.map((p) => el('li', {}, p))) : '',
      stock ? el('p', { class: 'stock', 'data-level': stockLevel(goods.product) }, stock) : '',
      ...choices(goods.skus).map((c) => this.choice(goods.skus, c.name, c.values)),
      this.stepper(pickedSku(goods.skus, this.picked)),
    );
    this.renderFoot(goods);
  }

  private renderFoot(goods: Goods): void {
    const { i18n } = this.desk;
    const sku = pickedSku(goods.skus, this.picked);
    const currency = goods.product.currency;
    const from = goods.skus.reduce<number | null>((least, s) => (least === null || s.price < least ? s.price : least), null);
    const amount = sku ? sku.price * this.quantity : from;
    setText(this.price, amount === null ? '' : formatPrice(amount, currency, i18n.lang));
    setText(this.original, sku?.original != null && sku.original > sku.price ? formatPrice(sku.original * this.quantity, currency, i18n.lang) : '');
    const gone = goods.skus.length === 0 || goods.skus.every((s) => s.stock === 0) || sku?.stock === 0;
    setText(this.buy, gone ? i18n.t('product.soldOut') : i18n.t(sku ? 'shop.buyNow' : 'shop.choose'));
    this.buy.disabled = gone || !sku;
    show(this.foot, true);
  }

  private gallery(goods: Goods): HTMLElement {
    const pictures = goods.images.length > 0 ? goods.images.map((url) => ({ ...goods.product, imageUrl: url })) : [goods.product];
    return el('div', { class: 'gallery', 'data-many': pictures.length > 1, tabindex: pictures.length > 1 ? '0' : null }, ...pictures.map((p) => productImage(p)));
  }

  private choice(skus: readonly Sku[], name: string, values: readonly string[]): HTMLElement {
    const group = el('div', { class: 'choice', role: 'radiogroup', 'aria-label': name }, el('span', { class: 'choice-name' }, name));
    for (const value of values) {
      const on = this.picked[name] === value;
      const button = el('button', { class: 'option', type: 'button', role: 'radio', 'aria-checked': on ? 'true' : 'false', 'data-option': value }, value);
      button.disabled = !on && !canPick(skus, this.picked, name, value);
      button.addEventListener('click', () => this.pick(name, value));
      group.append(button);
    }
    return group;
  }

  private pick(name: string, value: string): void {
    const { [name]: had, ...rest } = this.picked;
    this.picked = had === value ? rest : { ...rest, [name]: value };
    this.quantity = Math.min(this.quantity, mostOf(pickedSku(this.goods?.skus ?? [], this.picked)));
    this.render();
    this.body.querySelector<HTMLElement>(`[data-option="${CSS.escape(value)}"]`)?.focus({ preventScroll: true });
  }

  private stepper(sku: Sku | null): HTMLElement {
    const { i18n } = this.desk;
    const most = mostOf(sku);
    const step = (by: number, name: 'minus' | 'plus', label: string): HTMLElement => {
      const button = el('button', { class: 'round step', type: 'button', 'aria-label': label, 'data-step': name }, icon(name));
      button.disabled = this.quantity + by < 1 || this.quantity + by > most;
      button.addEventListener('click', () => {
        this.quantity += by;
        this.render();
        const again = this.body.querySelector<HTMLButtonElement>(`[data-step="${name}"]`);
        if (again && !again.disabled) again.focus({ preventScroll: true });
      });
      return button;
    };
    const value = el('output', { class: 'quantity', 'aria-live': 'polite' }, String(this.quantity));
    const limit = sku?.perBuyer == null ? null : el('span', { class: 'limit' }, i18n.t('shop.perBuyer', { count: sku.perBuyer }));
    return el('div', { class: 'stepper' }, el('span', { class: 'choice-name' }, i18n.t('shop.quantity')), limit, step(-1, 'minus', i18n.t('shop.fewer')), value, step(1, 'plus', i18n.t('shop.more')));
  }

  private checkout(): void {
    const { goods } = this;
    const sku = pickedSku(goods?.skus ?? [], this.picked);
    if (!goods || !sku) return;
    setAttr(this.buy, 'aria-busy', null);
    this.desk.note('add', this.productId, this.pinId);
    this.desk.open(new CheckoutPage(this.desk, { storeId: goods.storeId, goods: goods.product, sku, quantity: this.quantity, pinId: this.pinId }));
  }
}
