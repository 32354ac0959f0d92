import { formatPrice } from '../product/money';
import { isFields } from '../product/product';
import { el, setText, show } from '../ui/dom';
import type { BagPage } from '../viewer/ui/bag';
import type { Desk } from './desk';
import { OrderPage } from './order-page';
import { readOrder, type Order } from './orders';
import { Trouble } from './trouble';

/** The viewer's own orders, newest first. */
export class OrdersPage implements BagPage {
  readonly root = el('section', { class: 'bag-page orders-page' });
  private readonly list = el('ul', { class: 'orders' });
  private readonly empty = el('p', { class: 'order-hint' });
  private readonly trouble: Trouble;
  private orders: Order[] | null = null;

  constructor(private readonly desk: Desk) {
    this.trouble = new Trouble(desk.i18n);
    this.root.append(el('div', { class: 'shop-body' }, this.empty, this.list), this.trouble.root);
    this.render();
  }

  title(): string {
    return this.desk.i18n.t('orders.mine');
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
    try {
      const page = await this.desk.client.act('GET', '/api/v1/me/orders');
      const items: readonly unknown[] = isFields(page) && Array.isArray(page.items) ? page.items : [];
      this.orders = items.flatMap((o) => readOrder(o, this.desk.base) ?? []);
      this.trouble.clear();
    } catch (why) {
      this.trouble.tell(why, () => void this.load());
    }
    this.render();
  }

  private render(): void {
    const { i18n } = this.desk;
    setText(this.empty, i18n.t('orders.none'));
    show(this.empty, this.orders?.length === 0);
    if (!this.orders) {
      this.list.replaceChildren(...Array.from({ length: 3 }, () => el('li', { class: 'order', 'aria-hidden': 'true' }, el('span', { class: 'bone long' }), el('span', { class: 'bone short' }))));
      return;
    }
    this.list.replaceChildren(...this.orders.map((o) => this.item(o)));
  }

  private item(o: Order): HTMLElement {
    const { i18n } = this.desk;
    const first = o.lines[0];
    const title = first ? `${first.title}${o.lines.length > 1 ? ' …' : ''}` : o.no;
    const at = new Intl.DateTimeFormat(i18n.lang, { dateStyle: 'medium' }).format(o.createdMs);
    const button = el(
      'button',
      { class: 'order', type: 'button' },
      el('span', { class: 'order-title' }, title),
      el('span', { class: 'order-facts' }, el('span', { 'data-state': o.state }, i18n.t(`order.${o.state}`)), el('span', {}, at), el('span', {}, formatPrice(o.total, o.currency, i18n.lang))),
    );
    button.addEventListener('click', () => this.desk.open(new OrderPage(this.desk, o.id, o)));
    return el('li', {}, button);
  }
}
