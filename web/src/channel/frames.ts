import { isFields, readProduct, readProducts, type Product } from '../product/product';
import type { Epoch } from '../timeline/epochs';
import { readOffer, type OfferState } from '../timeline/offers';
import type { Pin } from '../timeline/pins';
import type { Said } from '../timeline/talk';

/** Where a client stands in a room's log: the show, and the sequence number of the last event it has. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

export type RoomState = 'idle' | 'live' | 'interrupted' | 'ended';

export interface ShowView {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly durationMs: number;
  readonly scheduledMs: number | null;
}

export interface RoomView {
  readonly id: string;
  readonly title: string;
  readonly state: RoomState;
}

export interface TimelineEvent {
  readonly seq: number;
  readonly type: string;
  readonly showMs: number;
  readonly wallMs: number;
  readonly data: unknown;
}

export type Frame =
  | { readonly type: 'hello'; readonly recovered: boolean; readonly serverMs: number | null }
  | {
      readonly type: 'snapshot';
      readonly position: Position;
      readonly room: RoomView;
      readonly show: ShowView | null;
      readonly epochs: readonly Epoch[];
      readonly pins: readonly Pin[];
      readonly products: readonly Product[];
      readonly offers: readonly OfferState[];
      readonly comments: readonly Said[];
      readonly likes: number;
    }
  | { readonly type: 'event'; readonly position: Position; readonly event: TimelineEvent }
  | { readonly type: 'state'; readonly key: string; readonly value: number };

const text = (v: unknown): string => (typeof v === 'string' ? v : '');
const number = (v: unknown): number => (typeof v === 'number' && Number.isFinite(v) ? v : 0);
const list = (v: unknown): readonly unknown[] => (Array.isArray(v) ? v : []);

function instant(v: unknown): number | null {
  const ms = typeof v === 'string' ? Date.parse(v) : NaN;
  return Number.isFinite(ms) ? ms : null;
}

export function readRoomState(v: unknown): RoomState {
  return v === 'live' || v === 'interrupted' || v === 'ended' ? v : 'idle';
}

export function readRoom(v: unknown): RoomView | null {
  if (!isFields(v)) return null;
  return { id: text(v.id), title: text(v.title), state: readRoomState(v.state) };
}

export function readShow(v: unknown): ShowView | null {
  if (!isFields(v) || text(v.id) === '') return null;
  return { id: text(v.id), title: text(v.title), state: text(v.state), durationMs: number(v.duration_ms), scheduledMs: instant(v.scheduled_at) };
}

export function readEpochs(v: unknown): Epoch[] {
  return list(v).flatMap((e) => {
    const wallMs = isFields(e) ? instant(e.wall) : null;
    return isFields(e) && wallMs !== null ? [{ showMs: number(e.show_time_ms), wallMs }] : [];
  });
}

export function readPin(v: unknown, base: string): Pin | null {
  if (!isFields(v) || text(v.id) === '') return null;
  const product = readProduct(v.product, base);
  return {
    id: text(v.id),
    productId: text(v.product_id) || (product?.id ?? ''),
    product,
    featured: v.featured === true,
    startMs: number(v.show_time_ms),
    endMs: null,
  };
}

export function readEvent(v: unknown): TimelineEvent | null {
  if (!isFields(v) || text(v.type) === '') return null;
  return {
    seq: number(v.seq),
    type: text(v.type),
    showMs: number(v.show_time_ms),
    wallMs: instant(v.wall) ?? 0,
    data: v.data,
  };
}

/** Reads one frame of the realtime channel; null for what this page does not know, which newer servers may send. */
export function readFrame(v: unknown, base: string): Frame | null {
  if (!isFields(v)) return null;
  const position = { epoch: text(v.epoch), offset: number(v.offset) };
  switch (v.type) {
    case 'hello':
      return { type: 'hello', recovered: v.recovered === true, serverMs: instant(v.server_time) };
    case 'snapshot':
      return readSnapshot(v.state, position, base);
    case 'event': {
      const event = readEvent(v.event);
      return event && { type: 'event', position, event };
    }
    case 'state':
      return { type: 'state', key: text(v.key), value: number(v.value) };
    default:
      return null;
  }
}

function readComment(v: unknown): Said | null {
  if (!isFields(v) || text(v.id) === '') return null;
  return { id: text(v.id), showMs: number(v.show_time_ms), kind: 'comment', name: text(v.name), text: text(v.text), productId: '' };
}

function readSnapshot(v: unknown, position: Position, base: string): Frame | null {
  const room = isFields(v) ? readRoom(v.room) : null;
  if (!isFields(v) || !room) return null;
  return {
    type: 'snapshot',
    position,
    room,
    show: readShow(v.show),
    epochs: readEpochs(v.epochs),
    pins: list(v.pins).flatMap((p) => readPin(p, base) ?? []),
    products: readProducts(v.products, base),
    comments: list(v.comments).flatMap((c) => readComment(c) ?? []),
    likes: number(v.likes),
    offers: list(v.offers).flatMap((o) => (isFields(o) ? (readOffer(text(o.type), number(o.show_time_ms), o) ?? []) : [])),
  };
}
