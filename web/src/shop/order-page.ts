import { formatPrice } from '../product/money';
import { el, setText, show } from '../ui/dom';
import type { BagPage } from '../viewer/ui/bag';
import type { MessageKey } from '../viewer/messages';
import { newKey } from './client';
import type { Desk } from './desk';
import { pickMethod, readIntent, readOrder, type HistoryEntry, type Order, type OrderState } from './orders';
import { Trouble } from './trouble';

const pollMs = 2_000; // while a payment may come in
const slowPollMs = 15_000;
const over: readonly OrderState[] = ['completed', 'cancelled', 'expired', 'refunded'];
const told: Readonly<Record<string, MessageKey>> = {
  placed: 'history.placed', paid: 'history.paid', paid_late: 'history.paid_late', refused_late: 'history.refused_late', paid_twice: 'history.paid_twice',
  amount_wrong: 'history.amount_wrong', cancelled: 'history.cancelled', expired: 'history.expired', shipped: 'history.shipped',
  completed: 'history.completed', note: 'history.note', refund_asked: 'history.refund_asked', refund_done: 'history.refund_done', refund_failed: 'history.refund_failed',
};

/** An order as its buyer sees it: pay it, wait for it, follow it. */
export class OrderPage implements BagPage {
  readonly root = el('section', { class: 'bag-page order-page' });
  private readonly state = el('p', { class: 'order-state', role: 'status' });
  private readonly hint = el('p', { class: 'order-hint' });
  private readonly code = el('div', { class: 'pay-code' });
  private readonly body = el('div', { class: 'order-body' });
  private readonly pay = el('a', { class: 'primary', target: '_blank', rel: 'noopener' });
  private readonly cancel = el('button', { class: 'link', type: 'button' });
  private readonly confirm = el('button', { class: 'primary', type: 'button' });
  private readonly trouble: Trouble;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tick: ReturnType<typeof setInterval> | undefined;
  private inFront = false;
  private asked = false;

  constructor(
    private readonly desk: Desk,
    private readonly orderId: string,
    private order: Order | null,
  ) {
    this.trouble = new Trouble(desk.i18n);
    this.root.append(
      el('div', { class: 'shop-body' }, this.state, this.hint, this.code, this.body),
      this.trouble.root,
      el('div', { class: 'shop-foot' }, this.cancel, this.pay, this.confirm),
    );
    this.cancel.addEventListener('click', () => void this.act('cancel'));
    this.confirm.addEventListener('click', () => void this.act('confirm'));
    this.translate();
  }

  title(): string {
    return this.desk.i18n.t('shop.order');
  }

  shown(): void {
    this.inFront = true;
    clearInterval(this.tick);
    this.tick = setInterval(() => this.renderHint(), 1_000);
    void this.refresh();
  }

  left(): void {
    this.inFront = false;
    clearTimeout(this.timer);
    clearInterval(this.tick);
  }

  translate(): void {
    const { i18n } = this.desk;
    setText(this.pay, i18n.t('shop.pay'));
    setText(this.cancel, i18n.t('shop.cancel'));
    setText(this.confirm, i18n.t('shop.confirm'));
    this.render();
  }

  private path(what = ''): string {
    return `/api/v1/me/orders/${encodeURIComponent(this.orderId)}${what}`;
  }

  private async refresh(): Promise<void> {
    clearTimeout(this.timer);
    try {
      this.order = readOrder(await this.desk.client.act('GET', this.path()), this.desk.base);
      this.trouble.clear();
      if (this.order?.state === 'pending_payment' && !this.asked) await this.startPayment();
    } catch (why) {
      this.trouble.tell(why, () => void this.refresh());
    }
    this.render();
    if (!this.inFront || (this.order && over.includes(this.order.state))) return;
    this.timer = setTimeout(() => void this.refresh(), this.order?.state === 'pending_payment' ? pollMs : slowPollMs);
  }

  /** Asks how to pay before the buyer taps: a page that opens after an answer only would be taken for a pop-up. */
  private async startPayment(): Promise<void> {
    const method = pickMethod(await this.desk.client.read('/api/v1/payment-methods'), matchMedia('(min-width: 960px)').matches);
    const intent = readIntent(await this.desk.client.act('POST', this.path('/payments'), method === null ? {} : { method }, newKey()), this.desk.base);
    this.asked = true;
    if (intent?.payUrl) this.pay.href = intent.payUrl;
    this.code.replaceChildren();
    if (!intent || intent.qrCode === '') return;
    const { drawCode } = await import('./qr'); // only who scans needs it
    this.code.replaceChildren(drawCode(intent.qrCode), el('span', {}, this.desk.i18n.t('shop.scan')));
  }

  private async act(what: 'cancel' | 'confirm'): Promise<void> {
    try {
      this.order = readOrder(await this.desk.client.act('POST', this.path(`/${what}`), {}, newKey()), this.desk.base) ?? this.order;
      this.trouble.clear();
    } catch (why) {
      this.trouble.tell(why);
    }
    void this.refresh();
  }

  private render(): void {
    const { i18n } = this.desk;
    const { order } = this;
    const waits = order?.state === 'pending_payment';
    setText(this.state, order ? i18n.t(`order.${order.state}`) : '');
    this.state.dataset.state = order?.state ?? '';
    this.renderHint();
    show(this.pay, waits && this.pay.href !== '');
    show(this.cancel, waits);
    show(this.confirm, order?.state === 'shipped');
    show(this.code, waits && this.code.childElementCount > 0);
    if (!order) return;
    const money = (n: number): string => formatPrice(n, order.currency, i18n.lang);
    const row = (name: string, value: string): HTMLElement[] => [el('dt', {}, name), el('dd', {}, value)];
    this.body.replaceChildren(
      el('ul', { class: 'order-lines' }, ...order.lines.map((l) => el('li', {}, el('span', {}, `${l.title}${l.variant ? ` (${l.variant})` : ''} × ${l.quantity}`), el('span', {}, money(l.amount))))),
      el('dl', { class: 'sums' }, ...(order.off > 0 ? row(i18n.t('shop.off'), `−${money(order.off)}`) : []), ...row(i18n.t('shop.total'), money(order.total)), ...row(i18n.t('shop.orderNo'), order.no), ...(order.number ? row(order.carrier, order.number) : [])),
      el('ol', { class: 'history' }, ...[...order.history].reverse().map((e) => this.entry(e, money))),
    );
  }

  /** How long there is left to pay. */
  private renderHint(): void {
    const left = this.order?.state === 'pending_payment' ? Math.max(0, Math.round((this.order.expiresMs - Date.now()) / 1000)) : 0;
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    setText(this.hint, left > 0 ? this.desk.i18n.t('order.payWithin', { time }) : '');
    show(this.hint, left > 0);
  }

  private entry(e: HistoryEntry, money: (n: number) => string): HTMLElement {
    const { i18n } = this.desk;
    const key = told[e.code];
    const words = key ? i18n.t(key) : e.code;
    const facts = [words, e.amount > 0 ? money(e.amount) : '', e.text].filter((w) => w !== '').join(' · ');
    const at = new Intl.DateTimeFormat(i18n.lang, { dateStyle: 'short', timeStyle: 'short' }).format(e.atMs);
    return el('li', {}, el('time', { datetime: new Date(e.atMs).toISOString() }, at), el('span', {}, facts));
  }
}
