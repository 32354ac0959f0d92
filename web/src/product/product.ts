import { webLink } from './links';

/** A product as the viewer sees it: the bag's, or the copy that a pin keeps. */
export interface Product {
  readonly id: string;
  readonly title: string;
  readonly price: number | null; // minor units
  readonly currency: string;
  readonly url: string | null; // http or https, or nothing
  readonly imageUrl: string | null;
  readonly stock: number | null; // null: not shown
  readonly link: Link; // what the card leads to
  readonly priceMax: number | null; // of the dearest variant, where it is another price
  readonly original: number | null; // what the price is compared with
  readonly showPrice: number | null; // the lowest that holds in this show
  readonly skuCount: number | null; // null: unknown
}

/** Where a product is bought: here, at an address, in a mini-program (which a web page cannot open), or nowhere. */
export type Link = 'checkout' | 'url' | 'mini_program' | 'none';

type Fields = Readonly<Record<string, unknown>>;

export function isFields(v: unknown): v is Fields {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '');
const count = (v: unknown): number | null => (typeof v === 'number' && Number.isFinite(v) ? v : null);

/** Reads a product from the wire; null when it has no id. A field that makes no sense is as if it were missing. */
export function readProduct(v: unknown, base: string): Product | null {
  if (!isFields(v) || text(v.id) === '') return null;
  return {
    id: text(v.id),
    title: text(v.title),
    price: count(v.price),
    currency: text(v.currency),
    url: webLink(v.url, base),
    imageUrl: webLink(v.image_url, base),
    stock: count(v.stock),
    link: readLink(v.link, webLink(v.url, base) !== null),
    priceMax: count(v.price_max),
    original: count(v.original_price),
    showPrice: count(v.show_price),
    skuCount: count(v.sku_count),
  };
}

/** Pins of older shows say nothing of the kind: their address tells. */
function readLink(v: unknown, hasUrl: boolean): Link {
  if (v === 'checkout' || v === 'mini_program') return v;
  return hasUrl ? 'url' : 'none';
}

export function readProducts(v: unknown, base: string): Product[] {
  if (!Array.isArray(v)) return [];
  return v.map((p) => readProduct(p, base)).filter((p) => p !== null);
}
