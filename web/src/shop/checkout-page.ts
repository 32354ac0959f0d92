import { formatPrice } from '../product/money';
import { isFields, type Product } from '../product/product';
import { productImage, titleText } from '../product/view';
import { el, setAttr, setText, show } from '../ui/dom';
import type { BagPage } from '../viewer/ui/bag';
import { fields, missing, recallAddress, rememberAddress, type Address, type AddressField } from './address';
import { newKey, Refused } from './client';
import { attribution, type Desk } from './desk';
import type { Sku } from './goods';
import { OrderPage } from './order-page';
import { readOrder, readQuote, type Quote } from './orders';
import { Trouble } from './trouble';

/** What is about to be bought. */
export interface Cart {
  readonly storeId: string;
  readonly goods: Product;
  readonly sku: Sku;
  readonly quantity: number;
  readonly pinId: string | null;
}

const autocomplete: Readonly<Record<AddressField, string>> = { name: 'name', phone: 'tel', region: 'address-level1', detail: 'street-address' };

/** Where to, for how much, with which coupons; then the order is placed. */
export class CheckoutPage implements BagPage {
  readonly root = el('form', { class: 'bag-page checkout-page', novalidate: true });
  private readonly inputs: Readonly<Record<AddressField, HTMLInputElement>>;
  private readonly labels = new Map<AddressField, HTMLElement>();
  private readonly line = el('div', { class: 'cart-line' });
  private readonly sums = el('dl', { class: 'sums' });
  private readonly reasons = el('ul', { class: 'reasons' });
  private readonly total = el('strong', { class: 'price' });
  private readonly place = el('button', { class: 'primary', type: 'submit' });
  private readonly trouble: Trouble;
  private quote: Quote | null = null;
  private key = newKey(); // one order, however often the button is pressed
  private sending = false;

  constructor(
    private readonly desk: Desk,
    private readonly cart: Cart,
  ) {
    this.trouble = new Trouble(desk.i18n);
    this.inputs = { name: this.input('name'), phone: this.input('phone'), region: this.input('region'), detail: this.input('detail') };
    const address = el('fieldset', { class: 'address' }, ...fields.map((f) => this.field(f)));
    this.root.append(
      el('div', { class: 'shop-body' }, this.line, address, this.sums, this.reasons),
      this.trouble.root,
      el('div', { class: 'shop-foot' }, el('span', { class: 'foot-price' }, this.total), this.place),
    );
    this.root.addEventListener('submit', (e) => {
      e.preventDefault();
      void this.submit();
    });
    this.translate();
  }

  title(): string {
    return this.desk.i18n.t('shop.checkout');
  }

  shown(): void {
    void this.ask();
  }

  left(): void {
    rememberAddress(this.address());
  }

  translate(): void {
    const { i18n } = this.desk;
    for (const [name, label] of this.labels) setText(label, i18n.t(`address.${name}`));
    const variant = this.cart.sku.attributes.map((a) => a.value).join(' · ');
    this.line.replaceChildren(
      productImage(this.cart.goods),
      el('div', { class: 'line-text' }, el('strong', {}, titleText(this.cart.goods, i18n)), variant ? el('span', { class: 'variant' }, variant) : '', el('span', { class: 'times' }, `× ${this.cart.quantity}`)),
    );
    this.render();
  }

  private input(name: AddressField): HTMLInputElement {
    const input = el('input', { name, autocomplete: autocomplete[name], type: name === 'phone' ? 'tel' : 'text', required: true, maxlength: name === 'detail' ? '200' : '80', enterkeyhint: 'next' });
    input.value = recallAddress()[name];
    input.addEventListener('input', () => setAttr(input, 'aria-invalid', null));
    return input;
  }

  private field(name: AddressField): HTMLElement {
    const label = el('span');
    this.labels.set(name, label);
    return el('label', { class: 'field' }, label, this.inputs[name]);
  }

  private address(): Address {
    const { name, phone, region, detail } = this.inputs;
    return { name: name.value.trim(), phone: phone.value.trim(), region: region.value.trim(), detail: detail.value.trim() };
  }

  private body(): Record<string, unknown> {
    const place = this.desk.place();
    return {
      lines: [{ sku_id: this.cart.sku.id, quantity: this.cart.quantity, attribution: attribution(place, this.cart.pinId) }],
      ...(place.showId === null ? {} : { show_id: place.showId }),
      best: true,
    };
  }

  private path(what: string): string {
    return `/api/v1/stores/${encodeURIComponent(this.cart.storeId)}/${what}`;
  }

  private async ask(): Promise<void> {
    try {
      this.quote = readQuote(await this.desk.client.act('POST', this.path('quotes'), this.body()));
      this.trouble.clear();
    } catch (why) {
      this.trouble.tell(why, () => void this.ask());
    }
    this.render();
  }

  private render(): void {
    const { i18n } = this.desk;
    const { quote } = this;
    const money = (n: number): string => formatPrice(n, quote?.currency ?? '', i18n.lang);
    setText(this.total, quote ? money(quote.total) : '');
    setText(this.place, i18n.t(this.sending ? 'shop.placing' : 'shop.place'));
    this.place.disabled = this.sending || !quote || quote.rejected.some((r) => r.sku !== '');
    const row = (name: string, value: string): HTMLElement[] => [el('dt', {}, name), el('dd', {}, value)];
    this.sums.replaceChildren(
      ...(quote ? row(i18n.t('shop.subtotal'), money(quote.subtotal)) : []),
      ...(quote?.applied ?? []).flatMap((a) => row(a.title, `−${money(a.off)}`)),
    );
    this.reasons.replaceChildren(...(quote?.rejected ?? []).filter((r) => r.message !== '').map((r) => el('li', {}, r.message)));
    show(this.reasons, this.reasons.childElementCount > 0);
  }

  private async submit(): Promise<void> {
    const address = this.address();
    const wrong = missing(address);
    if (wrong) this.blame(wrong);
    if (wrong || this.sending || !this.quote) return;
    rememberAddress(address);
    this.sending = true;
    this.trouble.clear();
    this.render();
    try {
      const body = { ...this.body(), claims: this.quote.applied.map((a) => a.claimId), best: false, expected_total: this.quote.total, address };
      const order = readOrder(await this.desk.client.act('POST', this.path('orders'), body, this.key), this.desk.base);
      if (order) this.desk.openInstead(new OrderPage(this.desk, order.id, order));
    } catch (why) {
      this.refused(why);
    } finally {
      this.sending = false;
      this.render();
    }
  }

  /** What was refused may be tried again as another order; what was not answered is the same one. */
  private refused(why: unknown): void {
    if (why instanceof Refused && why.status < 500 && why.status !== 429) this.key = newKey();
    const field = why instanceof Refused ? fields.find((f) => why.field === `address.${f}`) : undefined;
    if (field) this.blame(field);
    this.trouble.tell(why);
    if (why instanceof Refused && why.status === 409) void this.askAgain(why);
  }

  /** Prices or pieces have changed meanwhile: the new terms are shown, and the message stays. */
  private async askAgain(why: Refused): Promise<void> {
    try {
      const told = isFields(why.body) ? readQuote(why.body.quote) : null;
      this.quote = told ?? readQuote(await this.desk.client.act('POST', this.path('quotes'), this.body()));
      this.render();
    } catch {
      // the message that stands there says enough
    }
  }

  private blame(field: AddressField): void {
    setAttr(this.inputs[field], 'aria-invalid', 'true');
    this.inputs[field].focus();
  }
}
