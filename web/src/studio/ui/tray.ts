import type { Product } from '../../product/product';
import { priceText, productImage, stockLevel, stockText, titleText } from '../../product/view';
import { el, setAttr, setText, show } from '../../ui/dom';
import type { I18n } from '../i18n';
import { happenedAt } from '../publish/control';
import { icon } from './icons';
import type { Actions, View } from './view';

/** From so many products on, they are found by their number or name. */
const findFrom = 7;

/**
 * The products of the room, each a button that puts it on the picture. The same list is a strip over the controls, a
 * column beside the picture, or a sheet of all of them: only the style differs.
 */
export class Tray {
  private readonly heading = el('h2', { class: 'tray-title' });
  private readonly count = el('span', { class: 'tray-count' });
  private readonly find = el('input', { class: 'field find', type: 'search', autocomplete: 'off', enterkeyhint: 'search' });
  private readonly closer = el('button', { class: 'round small', type: 'button' }, icon('close'));
  private readonly list = el('ul', { class: 'tiles' });
  private readonly hint = el('p', { class: 'tray-hint' });
  private readonly empty = el('div', { class: 'tray-empty' }, icon('bag'), el('strong'), el('p'));
  readonly scrim = el('div', { class: 'scrim tray-scrim' });
  readonly root = el('aside', { class: 'tray', 'data-testid': 'tray' }, el('header', { class: 'tray-head' }, this.heading, this.count, this.closer), this.find, this.hint, this.empty, this.list);
  private drawn = '';

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
    /** What is out of reach while all products are shown in a sheet. */
    private readonly rest: readonly HTMLElement[],
  ) {
    this.closer.addEventListener('click', () => this.fold());
    this.scrim.addEventListener('click', () => this.fold());
    this.find.addEventListener('input', () => this.filter());
    document.addEventListener('keydown', (e) => e.key === 'Escape' && this.fold());
  }

  unfold(): void {
    setAttr(this.root, 'data-unfolded', true);
    setAttr(this.scrim, 'data-open', true);
    for (const r of this.rest) r.inert = true;
    this.closer.focus({ preventScroll: true });
  }

  fold(): void {
    if (!this.root.hasAttribute('data-unfolded')) return;
    setAttr(this.root, 'data-unfolded', false);
    setAttr(this.scrim, 'data-open', false);
    for (const r of this.rest) r.inert = false;
    this.find.value = '';
    this.filter();
  }

  render(view: View): void {
    const { i18n } = this;
    const open = view.phase !== 'loading' && view.phase !== 'unknown' && view.phase !== 'failed' && view.phase !== 'locked';
    show(this.root, open);
    const { products } = view;
    setText(this.heading, i18n.t('bag.title'));
    setText(this.count, products.length === 0 ? '' : products.length === 1 ? i18n.t('bag.countOne') : i18n.t('bag.count', { count: products.length }));
    setAttr(this.closer, 'aria-label', i18n.t('close'));
    show(this.find, products.length >= findFrom);
    setAttr(this.find, 'placeholder', i18n.t('bag.find'));
    setAttr(this.find, 'aria-label', i18n.t('bag.find'));
    const bare = view.productsKnown && products.length === 0;
    show(this.empty, bare);
    setText(this.empty.children[1] ?? this.empty, i18n.t('bag.empty'));
    setText(this.empty.children[2] ?? this.empty, i18n.t('bag.emptyText'));
    show(this.hint, !bare && view.showing.size === 0 && view.phase !== 'ended');
    setText(this.hint, i18n.t(view.canPin ? 'bag.hint' : 'bag.notLive'));
    this.renderTiles(view);
  }

  private renderTiles(view: View): void {
    const drawn = JSON.stringify([this.i18n.lang, view.productsKnown, view.products]);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      const at = this.list.scrollLeft;
      this.list.replaceChildren(...view.products.map((p, i) => this.tile(p, i + 1)));
      this.list.scrollLeft = at;
      this.filter();
    }
    view.products.forEach((p, i) => this.mark(this.list.children[i]?.firstElementChild, p, i + 1, view));
  }

  private tile(p: Product, number: number): HTMLElement {
    const stock = stockLevel(p);
    const button = el(
      'button',
      { class: 'tile', type: 'button', 'data-product': p.id },
      el('span', { class: 'tile-image' }, productImage(p), el('span', { class: 'number' }, String(number)), el('span', { class: 'on-air' }), el('span', { class: 'spinner' })),
      el(
        'span',
        { class: 'tile-text' },
        el('span', { class: 'tile-title' }, titleText(p, this.i18n)),
        el('span', { class: 'tile-foot' }, el('span', { class: 'price' }, priceText(p, this.i18n)), stock === 'few' || stock === 'none' ? el('span', { class: 'stock', 'data-level': stock }, stockText(p, this.i18n)) : null),
      ),
      el('span', { class: 'tile-action', 'aria-hidden': 'true' }),
    );
    button.addEventListener('click', (e) => this.actions.togglePin(p.id, happenedAt(e)));
    return el('li', {}, button);
  }

  private mark(tile: Element | null | undefined, p: Product, number: number, view: View): void {
    if (!tile) return;
    const on = view.showing.has(p.id);
    const { i18n } = this;
    setAttr(tile, 'data-on', on);
    setAttr(tile, 'data-pending', view.pending.has(p.id));
    setAttr(tile, 'aria-pressed', on ? 'true' : 'false');
    setAttr(tile, 'aria-disabled', view.canPin ? null : 'true');
    setAttr(tile, 'aria-label', i18n.t(on ? 'bag.unpinLabel' : 'bag.pinLabel', { number, title: titleText(p, i18n) }));
    const [flag, action] = [tile.querySelector('.on-air'), tile.querySelector('.tile-action')];
    if (flag) setText(flag, i18n.t('bag.on'));
    if (action) setText(action, i18n.t(on ? 'bag.unpin' : 'bag.pin'));
  }

  /** By number, as viewers ask for it, or by a part of the name. */
  private filter(): void {
    const wanted = this.find.value.trim().toLowerCase();
    [...this.list.children].forEach((item, i) => {
      const text = item.querySelector('.tile-title')?.textContent.toLowerCase() ?? '';
      const found = wanted === '' || (/^\d+$/.test(wanted) ? String(i + 1).startsWith(wanted) || text.includes(wanted) : text.includes(wanted));
      if (item instanceof HTMLElement) show(item, found);
    });
  }
}
