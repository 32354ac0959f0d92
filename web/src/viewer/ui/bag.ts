import type { I18n } from '../i18n';
import type { Product } from '../../product/product';
import { el, setAttr, setText, show } from '../../ui/dom';
import { icon } from './icons';
import { priceTag, priceText, productImage, shopLink, stockLevel, stockText, titleText } from '../../product/view';
import { position } from '../../ui/time';
import type { Actions, View } from './view';

const wide = '(min-width: 960px)';

/** One step of buying, which stands in the bag's place while the show goes on beside or above it. */
export interface BagPage {
  readonly root: HTMLElement;
  title(): string;
  /** The page is in front now, also when the one over it was left. */
  shown(): void;
  /** The language has changed. */
  translate(): void;
  left(): void;
}

/** The products of the show: a sheet that slides up on a phone, a column beside the picture on a desk. */
export class Bag {
  private readonly backer = el('button', { class: 'round back', type: 'button' }, icon('back'));
  private readonly mine = el('button', { class: 'link mine', type: 'button' });
  private readonly pages: BagPage[] = [];
  private readonly heading = el('h2', { class: 'bag-title', id: 'bag-title' });
  private readonly count = el('span', { class: 'bag-count' });
  private readonly closer = el('button', { class: 'round close', type: 'button' }, icon('close'));
  private readonly list = el('ul', { class: 'bag-list' });
  private readonly empty = el('div', { class: 'bag-empty' }, icon('bag'), el('strong'), el('p'));
  private readonly scrim = el('div', { class: 'scrim' });
  private drawn = '';
  private opener: HTMLElement | null = null;
  private readonly isWide = window.matchMedia(wide);

  constructor(
    private readonly root: HTMLElement,
    private readonly stage: HTMLElement,
    private readonly i18n: I18n,
    private readonly actions: Actions,
  ) {
    root.replaceChildren(el('div', { class: 'bag-head' }, this.backer, this.heading, this.count, this.mine, this.closer), this.empty, this.list);
    root.before(this.scrim);
    show(this.backer, false);
    this.backer.addEventListener('click', () => this.pop());
    this.mine.addEventListener('click', () => this.actions.openOrders());
    this.closer.addEventListener('click', () => this.close());
    this.scrim.addEventListener('click', () => this.close());
    document.addEventListener('keydown', (e) => e.key === 'Escape' && (this.pages.length > 0 && this.isOpen ? this.pop() : this.close()));
    this.isWide.addEventListener('change', () => this.applyMode());
    this.applyMode();
  }

  /** Puts a page over what the bag shows, and opens the bag where it is closed. */
  push(page: BagPage, opener: HTMLElement | null = null): void {
    this.pages.push(page);
    this.turn();
    if (!this.isOpen) this.open(opener);
    else this.backer.focus({ preventScroll: true });
  }

  /** Leaves the page in front. */
  pop(): void {
    this.pages.pop()?.left();
    this.turn();
  }

  /** Leaves all pages up to the list of products, and shows this one instead. */
  replaceAll(page: BagPage): void {
    for (const p of this.pages.splice(0)) p.left();
    this.push(page);
  }

  private get front(): BagPage | undefined {
    return this.pages[this.pages.length - 1];
  }

  translate(): void {
    for (const p of this.pages) p.translate();
    this.turn();
  }

  private turn(): void {
    const page = this.front;
    for (const old of this.root.querySelectorAll('.bag-page')) if (old !== page?.root) old.remove();
    setAttr(this.root, 'data-page', page !== undefined);
    show(this.backer, page !== undefined);
    show(this.list, page === undefined);
    if (page && !page.root.isConnected) this.root.append(page.root);
    if (page) {
      show(this.empty, false);
      page.shown();
    }
    this.actions.redraw();
  }

  get isOpen(): boolean {
    return this.root.hasAttribute('data-open');
  }

  open(opener: HTMLElement | null): void {
    if (this.isWide.matches) return;
    this.opener = opener;
    this.setOpen(true);
    this.closer.focus({ preventScroll: true });
  }

  close(): void {
    if (!this.isOpen) return;
    this.setOpen(false);
    this.opener?.focus({ preventScroll: true });
  }

  render(view: View): void {
    const { products } = view;
    const page = this.front;
    setText(this.heading, page?.title() ?? this.i18n.t('bag.title'));
    setAttr(this.backer, 'aria-label', this.i18n.t('bag.back'));
    setText(this.mine, this.i18n.t('orders.mine'));
    show(this.mine, page === undefined && products.some((p) => p.link === 'checkout'));
    setAttr(this.closer, 'aria-label', this.i18n.t('bag.close'));
    const count = products.length === 1 ? this.i18n.t('bag.countOne') : this.i18n.t('bag.count', { count: products.length });
    setText(this.count, products.length > 0 && !page ? count : '');
    show(this.empty, !page && view.productsKnown && products.length === 0);
    setText(this.empty.children[1] ?? this.empty, this.i18n.t('bag.empty'));
    setText(this.empty.children[2] ?? this.empty, this.i18n.t('bag.emptyText'));
    this.renderList(view);
  }

  private renderList(view: View): void {
    const drawn = JSON.stringify([this.i18n.lang, view.productsKnown, view.canGoBack, view.products, view.chapters.map((c) => [c.productId, c.startMs])]);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      const items = view.productsKnown ? view.products.map((p, i) => this.item(p, i, view)) : skeletons();
      const focused = this.list.contains(document.activeElement) ? document.activeElement?.getAttribute('data-key') : null;
      this.list.replaceChildren(...items);
      if (focused != null) this.list.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    }
    for (const item of this.list.children) setAttr(item, 'data-showing', view.showing.has(item.getAttribute('data-product') ?? ''));
  }

  private item(p: Product, index: number, view: View): HTMLElement {
    const stock = stockText(p, this.i18n);
    const buy = this.buyButton(p);
    const watch = (view.phase === 'live' && !view.canGoBack ? [] : view.chapters)
      .filter((c) => c.productId === p.id)
      .map((c, i) => {
        const button = el('button', { class: 'watch', type: 'button', 'data-key': `watch-${p.id}-${i}` }, icon('play'), this.i18n.t('bag.watchAt', { at: position(c.startMs) }));
        button.addEventListener('click', () => {
          this.actions.seek(c.startMs);
          this.close();
        });
        return button;
      });
    return el(
      'li',
      { class: 'item', 'data-product': p.id },
      el('span', { class: 'item-image' }, productImage(p), el('span', { class: 'number', 'aria-hidden': 'true' }, String(index + 1))),
      el(
        'div',
        { class: 'item-text' },
        el('h3', { class: 'item-title' }, titleText(p, this.i18n)),
        el('span', { class: 'item-facts' }, el('span', { class: 'showing' }, this.i18n.t('bag.showing')), stock ? el('span', { class: 'stock', 'data-level': stockLevel(p) }, stock) : null),
        watch.length > 0 ? el('div', { class: 'item-watch' }, ...watch) : null,
        el('div', { class: 'item-foot' }, priceTag(p, this.i18n), buy),
      ),
    );
  }

  private buyButton(p: Product): HTMLElement | null {
    if (stockLevel(p) === 'none') return null;
    const attrs = { class: 'buy', 'data-key': `buy-${p.id}` };
    if (p.link !== 'checkout') {
      const out = p.url === null ? null : shopLink(p, this.i18n, attrs);
      out?.append(this.i18n.t('product.buy'));
      return out;
    }
    const button = el('button', { type: 'button', 'aria-label': this.i18n.t('product.openLabel', { title: titleText(p, this.i18n), price: priceText(p, this.i18n) }), ...attrs }, this.i18n.t('product.buy'));
    button.addEventListener('click', () => this.actions.openProduct(p.id, null));
    return button;
  }

  private setOpen(open: boolean): void {
    setAttr(this.root, 'data-open', open);
    this.applyMode();
  }

  /** On a phone the sheet is a dialog over the stage; beside the picture it is a part of the page like any other. */
  private applyMode(): void {
    const sheet = !this.isWide.matches;
    const open = sheet && this.isOpen;
    if (!sheet) setAttr(this.root, 'data-open', false);
    setAttr(this.root, 'role', open ? 'dialog' : null);
    setAttr(this.root, 'aria-modal', open ? 'true' : null);
    setAttr(this.scrim, 'data-open', open);
    this.root.inert = sheet && !open;
    this.stage.inert = open;
  }
}

function skeletons(): HTMLElement[] {
  const line = (className: string): HTMLElement => el('span', { class: `bone ${className}` });
  return Array.from({ length: 4 }, () =>
    el('li', { class: 'item', 'aria-hidden': 'true' }, el('span', { class: 'bone thumb' }), el('div', { class: 'item-text' }, line('long'), line('short'), line('price-bone'))),
  );
}
