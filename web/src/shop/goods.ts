import { isFields, readProduct, type Product } from '../product/product';
import { webLink } from '../product/links';

export interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** One variant of a product. */
export interface Sku {
  readonly id: string;
  readonly attributes: readonly Attribute[];
  readonly price: number; // minor units; the show's price where one holds
  readonly original: number | null; // what the price is compared with
  readonly perBuyer: number | null; // null: any number
  readonly stock: number | null; // null: not counted
}

/** A product with all that is chosen from. */
export interface Goods {
  readonly product: Product;
  readonly storeId: string;
  readonly points: readonly string[];
  readonly images: readonly string[];
  readonly skus: readonly Sku[];
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '');
const count = (v: unknown): number | null => (typeof v === 'number' && Number.isFinite(v) ? v : null);
const list = (v: unknown): readonly unknown[] => (Array.isArray(v) ? v : []);

/** Reads a product's own page; null for what is none. */
export function readGoods(v: unknown, base: string): Goods | null {
  const product = readProduct(v, base);
  if (!isFields(v) || !product) return null;
  return {
    product,
    storeId: text(v.store_id),
    points: list(v.points).map(text).filter((p) => p !== ''),
    images: list(v.images).flatMap((i) => webLink(i, base) ?? []),
    skus: list(v.skus).flatMap((s) => readSku(s) ?? []),
  };
}

function readSku(v: unknown): Sku | null {
  if (!isFields(v) || text(v.id) === '') return null;
  const listed = count(v.price) ?? 0;
  const shown = count(v.show_price);
  const original = count(v.original_price) ?? (shown !== null && shown < listed ? listed : null);
  return {
    id: text(v.id),
    attributes: list(v.attributes).flatMap((a) => (isFields(a) ? [{ name: text(a.name), value: text(a.value) }] : [])),
    price: shown ?? listed,
    original: original === 0 ? null : original,
    perBuyer: count(v.per_buyer),
    stock: count(v.stock),
  };
}

/** One question to the buyer: a property in which the SKUs differ, and its values in the merchant's order. */
export interface Choice {
  readonly name: string;
  readonly values: readonly string[];
}

export function choices(skus: readonly Sku[]): Choice[] {
  const found = new Map<string, string[]>();
  for (const sku of skus) {
    for (const { name, value } of sku.attributes) {
      const values = found.get(name) ?? [];
      if (!values.includes(value)) values.push(value);
      found.set(name, values);
    }
  }
  return [...found].map(([name, values]) => ({ name, values }));
}

export type Picked = Readonly<Record<string, string>>;

/** The SKU that was chosen: the only one there is, or the one that has all that was picked. */
export function pickedSku(skus: readonly Sku[], picked: Picked): Sku | null {
  if (skus.length === 1) return skus[0] ?? null;
  return skus.find((s) => s.attributes.length > 0 && s.attributes.every((a) => picked[a.name] === a.value)) ?? null;
}

/** Whether a value can still be bought together with what else is picked. */
export function canPick(skus: readonly Sku[], picked: Picked, name: string, value: string): boolean {
  return skus.some(
    (s) =>
      s.stock !== 0 &&
      s.attributes.some((a) => a.name === name && a.value === value) &&
      s.attributes.every((a) => a.name === name || picked[a.name] === undefined || picked[a.name] === a.value),
  );
}

/** How many pieces a buyer can ask for, at least 1. */
export function mostOf(sku: Sku | null): number {
  return Math.max(1, Math.min(sku?.stock ?? 99, sku?.perBuyer ?? 99, 99));
}
