import type { I18n } from '../i18n';
import type { Product } from '../../product/product';
import type { Pin, VisiblePins } from '../../timeline/pins';
import { el, setAttr, setText } from '../../ui/dom';
import type { Actions } from './view';
import { priceTag, priceText, productImage, shopLink, stockLevel, stockText, titleText } from '../../product/view';

interface Card {
  readonly node: HTMLElement;
  readonly shows: string; // what it was made from, to know when to make it anew
}

/** As many cards as are kept ready; those on the picture and those that come soon are among them. */
const maxCards = 40;
const maxChips = 3;

/**
 * The products on the picture. Cards are made before their time, hidden and with their image loaded, so that showing
 * one on its frame is a change of one attribute.
 */
export class Cards {
  readonly root = el('div', { class: 'pins' });
  readonly announcer = el('div', { class: 'sr-only', 'aria-live': 'polite', role: 'status' });
  private readonly cards = new Map<string, Card>();
  private armed: string | null = null; // the id of the pin whose card is in its place already
  private visible: VisiblePins = { pins: [], featured: null };

  constructor(
    private readonly i18n: I18n,
    private readonly bag: (productId: string) => Product | null,
    private readonly actions: Pick<Actions, 'openProduct'>,
  ) {
    this.root.addEventListener('click', (e) => this.onClick(e));
  }

  /** Makes the cards of pins whose time comes soon. */
  prepare(pins: readonly Pin[]): void {
    for (const pin of pins) this.card(pin);
    this.forget();
  }

  /**
   * Puts the card that comes next in its place, drawn but not to be seen: when its frame comes, nothing is left to lay
   * out or paint, which on a busy phone takes longer than several frames.
   */
  arm(pin: Pin | null): void {
    if (this.armed === pin?.id) return;
    this.disarm();
    if (!pin) return;
    const node = this.card(pin);
    if (node.getAttribute('data-visible') === 'true') return;
    this.armed = pin.id;
    setAttr(node, 'data-featured', 'true');
    setAttr(node, 'data-armed', true);
    node.inert = true;
  }

  /** Puts up exactly these pins. */
  show(visible: VisiblePins): void {
    const before = this.visible;
    this.visible = visible;
    if (visible.pins.some((p) => p.id === this.armed)) this.disarm();
    setAttr(this.root, 'data-featured', visible.featured !== null);
    const on = new Set(visible.pins.map((p) => p.id));
    for (const pin of before.pins) if (!on.has(pin.id)) this.hide(pin.id);
    const chips = visible.pins.filter((p) => p !== visible.featured);
    const firstChip = Math.max(0, chips.length - maxChips);
    for (const pin of visible.pins) {
      const node = this.card(pin);
      const featured = pin === visible.featured;
      setAttr(node, 'data-featured', featured ? 'true' : 'false');
      setAttr(node, 'data-folded', !featured && chips.indexOf(pin) < firstChip);
      setAttr(node, 'data-visible', 'true');
    }
    if (visible.featured && visible.featured.id !== before.featured?.id) this.announce(visible.featured);
  }

  /** Renders again what is there: the language or a product has changed. */
  refresh(): void {
    for (const pin of this.visible.pins) this.card(pin);
  }

  /** A card of something that is bought here opens its page; others are links by themselves. */
  private onClick(e: MouseEvent): void {
    const card = e.target instanceof Element ? e.target.closest<HTMLElement>('button.card') : null;
    const product = card?.getAttribute('data-product');
    if (card && product) this.actions.openProduct(product, card.getAttribute('data-pin'), card);
  }

  private disarm(): void {
    const node = this.armed === null ? undefined : this.cards.get(this.armed)?.node;
    this.armed = null;
    if (!node) return;
    setAttr(node, 'data-armed', false);
    node.inert = false;
  }

  private hide(id: string): void {
    const node = this.cards.get(id)?.node;
    if (node) setAttr(node, 'data-visible', 'false');
  }

  private card(pin: Pin): HTMLElement {
    const product = this.productOf(pin);
    const shows = JSON.stringify([this.i18n.lang, product]);
    const old = this.cards.get(pin.id);
    if (old?.shows === shows) return old.node;
    const node = makeCard(pin, product, this.i18n);
    if (old) {
      node.inert = old.node.inert;
      for (const name of ['data-visible', 'data-featured', 'data-folded', 'data-armed']) setAttr(node, name, old.node.getAttribute(name));
      old.node.replaceWith(node);
    } else {
      this.root.append(node);
    }
    this.cards.set(pin.id, { node, shows });
    return node;
  }

  /** A pin shows the product as it was pinned; what only a playlist told of is completed from the bag, stock is the bag's. */
  private productOf(pin: Pin): Product | null {
    const inBag = this.bag(pin.productId);
    if (pin.product?.price == null) return inBag ?? pin.product;
    return inBag ? { ...pin.product, stock: inBag.stock } : pin.product;
  }

  private forget(): void {
    for (const [id, card] of this.cards) {
      if (this.cards.size <= maxCards) return;
      if (card.node.getAttribute('data-visible') === 'true' || id === this.armed) continue;
      card.node.remove();
      this.cards.delete(id);
    }
  }

  private announce(pin: Pin): void {
    const product = this.productOf(pin);
    if (!product) return;
    setText(this.announcer, this.i18n.t('product.announce', { title: titleText(product, this.i18n), price: priceText(product, this.i18n) }));
  }
}

function makeCard(pin: Pin, product: Product | null, i18n: I18n): HTMLElement {
  const attrs = { class: 'card', 'data-pin': pin.id, 'data-product': pin.productId, 'data-visible': 'false', 'data-featured': 'false' };
  const node = cardNode(product, attrs, i18n);
  const level = product ? stockLevel(product) : 'hidden';
  const stock = product && (level === 'few' || level === 'none') ? stockText(product, i18n) : '';
  node.append(
    productImage(product),
    el(
      'span',
      { class: 'card-text' },
      el('span', { class: 'card-title' }, product ? titleText(product, i18n) : i18n.t('product.untitled')),
      stock ? el('span', { class: 'stock', 'data-level': level }, stock) : null,
      el('span', { class: 'card-foot' }, product ? priceTag(product, i18n) : el('span', { class: 'price' }), callToAction(product, i18n)),
    ),
  );
  return node;
}

function cardNode(product: Product | null, attrs: Readonly<Record<string, string>>, i18n: I18n): HTMLElement {
  if (product?.link === 'checkout') {
    const label = i18n.t('product.openLabel', { title: titleText(product, i18n), price: priceText(product, i18n) });
    return el('button', { type: 'button', 'aria-label': label, ...attrs });
  }
  return product?.url ? shopLink(product, i18n, attrs) : el('div', attrs);
}

function callToAction(product: Product | null, i18n: I18n): HTMLElement | null {
  if (!product || (!product.url && product.link !== 'checkout') || stockLevel(product) === 'none') return null;
  return el('span', { class: 'buy', 'aria-hidden': 'true' }, i18n.t('product.buy'));
}
