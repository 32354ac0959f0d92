import { isFields } from '../product/product';
import { el, setText, show } from '../ui/dom';
import type { BagPage } from '../viewer/ui/bag';
import type { MessageKey } from '../viewer/messages';
import type { Desk } from './desk';
import { couponPrize, type CouponPrize } from './prize';
import { Trouble } from './trouble';

const pollMs = 5_000;
const text = (v: unknown): string => (typeof v === 'string' ? v : '');
const list = (v: unknown): readonly unknown[] => (Array.isArray(v) ? v : []);
const wanted: Readonly<Record<string, MessageKey>> = {
  comment: 'lottery.needComment', likes: 'lottery.needLikes', reminder: 'lottery.needReminder', bought: 'lottery.needBought',
};

interface Entry {
  readonly entered: boolean;
  readonly entrant: string;
  readonly missing: readonly string[];
}

/** A lottery: what there is to win, what it takes, one tap to enter; and how anybody can check who won. */
export class LotteryPage implements BagPage {
  readonly root = el('section', { class: 'bag-page lottery-page' });
  private readonly name = el('h3', { class: 'product-title' });
  private readonly state = el('p', { class: 'order-hint', role: 'status' });
  private readonly prizes = el('ul', { class: 'order-lines' });
  private readonly needs = el('ul', { class: 'reasons' });
  private readonly winners = el('ul', { class: 'order-lines winners' });
  private readonly proof = el('a', { class: 'link', target: '_blank', rel: 'noopener' });
  private readonly fair = el('p', { class: 'order-hint' });
  private readonly enter = el('button', { class: 'primary', type: 'button' });
  private readonly won = el('p', { class: 'order-hint', role: 'status' });
  private readonly claim = el('button', { class: 'primary', type: 'button' });
  private readonly trouble: Trouble;
  private lottery: Readonly<Record<string, unknown>> = {};
  private entry: Entry | null = null;
  private prize: CouponPrize | null = null;
  private toldLast: Readonly<Record<string, unknown>> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly desk: Desk,
    private readonly id: string,
    known: Readonly<Record<string, unknown>>,
  ) {
    this.lottery = known;
    this.trouble = new Trouble(desk.i18n);
    this.root.append(
      el('div', { class: 'shop-body' }, this.name, this.state, this.prizes, this.needs, this.winners, this.won, this.fair, this.proof),
      this.trouble.root,
      el('div', { class: 'shop-foot' }, this.enter, this.claim),
    );
    this.proof.href = `/api/v1/lotteries/${encodeURIComponent(id)}/proof`;
    this.enter.addEventListener('click', () => void this.take());
    this.claim.addEventListener('click', () => void this.takePrize());
    this.render();
  }

  title(): string {
    return this.desk.i18n.t('lottery.title');
  }

  shown(): void {
    void this.refresh();
  }

  left(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  translate(): void {
    this.render();
  }

  private path(what = ''): string {
    return `/api/v1/lotteries/${encodeURIComponent(this.id)}${what}`;
  }

  private async refresh(): Promise<void> {
    clearTimeout(this.timer);
    try {
      const [lottery, entry] = await Promise.all([this.desk.client.read(this.path()), this.desk.client.act('GET', this.path('/entries/mine'))]);
      if (isFields(lottery)) this.lottery = { ...this.lottery, ...lottery };
      this.entry = readEntry(entry);
      if (this.hasWon() && this.prize?.state !== 'claimed') this.prize = couponPrize(await this.desk.client.act('GET', '/api/v1/me/prizes'), this.id);
      this.trouble.clear();
    } catch (why) {
      this.trouble.tell(why, () => void this.refresh());
    }
    this.render();
    if (this.root.isConnected && text(this.lottery.state) !== 'cancelled') this.timer = setTimeout(() => void this.refresh(), pollMs);
  }

  private async take(): Promise<void> {
    try {
      this.entry = readEntry(await this.desk.client.act('POST', this.path('/entries'), {}));
      this.trouble.clear();
    } catch (why) {
      this.trouble.tell(why);
    }
    this.render();
  }

  /** Takes the coupon that was won. Tapped twice, or on two devices, it is one coupon. */
  private async takePrize(): Promise<void> {
    const { prize } = this;
    if (prize === null) return;
    this.claim.disabled = true;
    try {
      await this.desk.client.act('POST', `/api/v1/me/prizes/${encodeURIComponent(prize.id)}/claim`, {});
      this.prize = { ...prize, state: 'claimed' };
      this.trouble.clear();
    } catch (why) {
      this.trouble.tell(why);
    }
    this.render();
  }

  private hasWon(): boolean {
    return list(this.lottery.winners).some((w) => isFields(w) && this.isMine(w));
  }

  private isMine(w: Readonly<Record<string, unknown>>): boolean {
    return this.entry !== null && this.entry.entrant !== '' && text(w.entrant) === this.entry.entrant;
  }

  /** The timeline told how it stands now: at the draw, who won. */
  told(offer: Readonly<Record<string, unknown>>): void {
    if (offer === this.toldLast) return;
    this.toldLast = offer;
    this.lottery = { ...this.lottery, ...offer };
    this.render();
  }

  get lotteryId(): string {
    return this.id;
  }

  private render(): void {
    const { i18n } = this.desk;
    const { lottery, entry } = this;
    const state = text(lottery.state);
    setText(this.name, text(lottery.title));
    setText(this.state, state === '' ? '' : i18n.t(`lottery.${state}` as MessageKey));
    this.prizes.replaceChildren(...list(lottery.prizes).flatMap((p) => (isFields(p) ? [el('li', {}, el('span', {}, text(p.name)), el('span', {}, `× ${typeof p.count === 'number' ? p.count : 1}`))] : [])));
    const missing = state === 'open' && !entry?.entered ? (entry?.missing ?? []) : [];
    this.needs.replaceChildren(...missing.flatMap((m) => (wanted[m] ? [el('li', {}, i18n.t(wanted[m], this.params()))] : [])));
    this.winners.replaceChildren(...list(lottery.winners).flatMap((w) => (isFields(w) ? [this.winner(w)] : [])));
    show(this.won, this.prize !== null && this.prize.state !== 'pending');
    setText(this.won, this.prize === null ? '' : i18n.t(this.prize.state === 'lapsed' ? 'lottery.couponLapsed' : 'lottery.couponTaken'));
    show(this.claim, this.prize?.state === 'pending');
    setText(this.claim, i18n.t('lottery.takeCoupon'));
    this.claim.disabled = false;
    setText(this.fair, i18n.t('lottery.fair'));
    setText(this.proof, i18n.t('lottery.proof'));
    show(this.enter, state === 'open');
    setText(this.enter, i18n.t(entry?.entered ? 'lottery.entered' : 'lottery.enter'));
    this.enter.disabled = entry?.entered === true || missing.length > 0;
  }

  private params(): { phrase: string; likes: number } {
    const c = isFields(this.lottery.conditions) ? this.lottery.conditions : {};
    return { phrase: text(c.phrase), likes: typeof c.min_likes === 'number' ? c.min_likes : 1 };
  }

  private winner(w: Readonly<Record<string, unknown>>): HTMLElement {
    const mine = this.isMine(w);
    const who = mine ? this.desk.i18n.t('lottery.you') : text(w.name);
    return el('li', { 'data-mine': mine }, el('span', {}, who), el('span', {}, text(w.prize)));
  }
}

function readEntry(v: unknown): Entry | null {
  if (!isFields(v)) return null;
  return { entered: v.entered === true, entrant: text(v.entrant), missing: list(v.missing).map(text) };
}
