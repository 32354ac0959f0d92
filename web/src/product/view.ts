import type { I18n as Texts } from '../i18n/i18n';
import { drawIcon, el } from '../ui/dom';
import type { ProductKey } from './messages';
import { formatPrice } from './money';
import type { Product } from './product';

type I18n = Texts<ProductKey>;

/** The price as it holds now: the show's where there is one, "from" the lowest where variants differ. */
export function priceText(p: Product, i18n: I18n): string {
  const price = p.showPrice ?? p.price;
  if (price === null || p.currency === '') return '';
  const text = formatPrice(price, p.currency, i18n.lang);
  return p.priceMax !== null && p.priceMax > price && p.showPrice === null ? i18n.t('product.from', { price: text }) : text;
}

/** What the price is compared with, struck through beside it; empty where there is nothing cheaper about it. */
export function originalText(p: Product, i18n: I18n): string {
  const price = p.showPrice ?? p.price;
  const original = p.original ?? (p.showPrice === null ? null : p.price);
  return price === null || original === null || original <= price || p.currency === '' ? '' : formatPrice(original, p.currency, i18n.lang);
}

/** The price, and what it is compared with. */
export function priceTag(p: Product, i18n: I18n): HTMLElement {
  const original = originalText(p, i18n);
  return el('span', { class: 'price' }, priceText(p, i18n), original ? el('s', { class: 'original' }, original) : null);
}

export function titleText(p: Product, i18n: I18n): string {
  return p.title || i18n.t('product.untitled');
}

const bag = 'M5 8h14l-1 12H6zM9 10.5V7a3 3 0 0 1 6 0v3.5';
const fewLeft = 10;

/** How urgent the stock is: nothing to say, few, none. */
export function stockLevel(p: Product): 'plenty' | 'few' | 'none' | 'hidden' {
  if (p.stock === null) return 'hidden';
  if (p.stock <= 0) return 'none';
  return p.stock <= fewLeft ? 'few' : 'plenty';
}

export function stockText(p: Product, i18n: I18n): string {
  const count = new Intl.NumberFormat(i18n.lang).format(p.stock ?? 0);
  const texts = {
    hidden: '',
    none: i18n.t('product.soldOut'),
    few: i18n.t('product.left', { count }),
    plenty: i18n.t('product.stock', { count }),
  };
  return texts[stockLevel(p)];
}

/** A product's picture on a tinted ground that stands in for it while it loads, and for good when it never comes. */
export function productImage(p: Product | null): HTMLElement {
  const box = el('span', { class: 'thumb', 'data-tint': String(tint(p?.id ?? '')) }, drawIcon('image', bag));
  if (!p?.imageUrl) return box;
  const img = el('img', { alt: '', decoding: 'async', draggable: 'false', referrerpolicy: 'no-referrer' });
  img.addEventListener('load', () => box.setAttribute('data-loaded', ''));
  img.addEventListener('error', () => img.remove());
  img.src = p.imageUrl;
  box.append(img);
  return box;
}

/** One of six tints, the same for a product every time. */
function tint(id: string): number {
  let sum = 0;
  for (const c of id) sum = (sum * 31 + (c.codePointAt(0) ?? 0)) % 6007;
  return sum % 6;
}

/** A link out to the shop, which opens beside the show. */
export function shopLink(p: Product, i18n: I18n, attrs: Readonly<Record<string, string>>): HTMLAnchorElement {
  const label = i18n.t('product.buyLabel', { title: titleText(p, i18n), price: priceText(p, i18n) });
  return el('a', { href: p.url, target: '_blank', rel: 'noopener noreferrer', 'aria-label': label, ...attrs });
}
