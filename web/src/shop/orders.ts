import { isFields } from '../product/product';
import { webLink } from '../product/links';

export type OrderState = 'pending_payment' | 'paid' | 'shipped' | 'completed' | 'cancelled' | 'expired' | 'refunding' | 'refunded';

export interface Line {
  readonly skuId: string;
  readonly title: string;
  readonly imageUrl: string | null;
  readonly variant: string; // "red, M"
  readonly quantity: number;
  readonly unit: number;
  readonly amount: number;
}

export interface HistoryEntry {
  readonly atMs: number;
  readonly code: string;
  readonly text: string;
  readonly amount: number;
}

export interface Order {
  readonly id: string;
  readonly no: string;
  readonly storeId: string;
  readonly state: OrderState;
  readonly currency: string;
  readonly subtotal: number;
  readonly off: number;
  readonly total: number;
  readonly lines: readonly Line[];
  readonly carrier: string;
  readonly number: string;
  readonly history: readonly HistoryEntry[];
  readonly expiresMs: number;
  readonly createdMs: number;
}

const states: readonly string[] = ['pending_payment', 'paid', 'shipped', 'completed', 'cancelled', 'expired', 'refunding', 'refunded'];
const text = (v: unknown): string => (typeof v === 'string' ? v : '');
const count = (v: unknown): number => (typeof v === 'number' && Number.isFinite(v) ? v : 0);
const list = (v: unknown): readonly unknown[] => (Array.isArray(v) ? v : []);
const instant = (v: unknown): number => (typeof v === 'string' ? Date.parse(v) || 0 : 0);

export function readOrder(v: unknown, base: string): Order | null {
  if (!isFields(v) || text(v.id) === '' || !states.includes(text(v.state))) return null;
  const shipping = isFields(v.shipping) ? v.shipping : {};
  return {
    id: text(v.id),
    no: text(v.no),
    storeId: text(v.store_id),
    state: text(v.state) as OrderState,
    currency: text(v.currency),
    subtotal: count(v.subtotal),
    off: count(v.off),
    total: count(v.total),
    lines: list(v.lines).flatMap((l) => readLine(l, base) ?? []),
    carrier: text(shipping.carrier),
    number: text(shipping.number),
    history: list(v.history).flatMap((e) => (isFields(e) ? [{ atMs: instant(e.at), code: text(e.code), text: text(e.text), amount: count(e.amount) }] : [])),
    expiresMs: instant(v.expires_at),
    createdMs: instant(v.created_at),
  };
}

function readLine(v: unknown, base: string): Line | null {
  if (!isFields(v)) return null;
  return {
    skuId: text(v.sku_id),
    title: text(v.title),
    imageUrl: webLink(v.image_url, base),
    variant: list(v.attributes).map((a) => (isFields(a) ? text(a.value) : '')).filter((a) => a !== '').join(' · '),
    quantity: count(v.quantity),
    unit: count(v.unit),
    amount: count(v.amount),
  };
}

/** What a cart costs now, and why it costs no less. */
export interface Quote {
  readonly currency: string;
  readonly subtotal: number;
  readonly off: number;
  readonly total: number;
  readonly applied: readonly { readonly claimId: string; readonly title: string; readonly off: number }[];
  readonly rejected: readonly { readonly code: string; readonly message: string; readonly sku: string }[];
}

export function readQuote(v: unknown): Quote | null {
  if (!isFields(v) || typeof v.total !== 'number') return null;
  return {
    currency: text(v.currency),
    subtotal: count(v.subtotal),
    off: count(v.off),
    total: v.total,
    applied: list(v.applied).flatMap((a) => (isFields(a) ? [{ claimId: text(a.claim_id), title: text(a.title), off: count(a.off) }] : [])),
    rejected: list(v.rejected).flatMap((r) => (isFields(r) ? [{ code: text(r.code), message: text(r.message), sku: text(r.sku_id) }] : [])),
  };
}

/** How a payment goes on: a page to open, or a code to scan. */
export interface Intent {
  readonly payUrl: string | null;
  readonly qrCode: string;
}

export function readIntent(v: unknown, base: string): Intent | null {
  if (!isFields(v)) return null;
  return { payUrl: webLink(v.pay_url, base), qrCode: text(v.qr_code) };
}

/** The way to pay that fits this browser: a code to scan beside a big screen, the other app on a phone. */
export function pickMethod(v: unknown, wide: boolean): string | null {
  const methods = isFields(v) ? list(v.methods).map(text) : [];
  const liked = wide ? ['sandbox', 'native', 'h5'] : ['sandbox', 'h5', 'native'];
  return liked.find((m) => methods.includes(m)) ?? null;
}
