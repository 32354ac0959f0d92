import { isFields, readProduct, type Product } from '../product/product';
import { readStretches, type Stretch } from '../timeline/play-map';
import { signalNames, type SignalName, type Signals } from './model/curve';
import type { Entry } from './model/history';

/** Who is signed in, and what they may do where. */
export interface Session {
  readonly id: string; // of the person
  readonly name: string;
  readonly stores: readonly { readonly id: string; readonly name: string; readonly role: string; readonly permissions: readonly string[] }[];
}

export interface ShowFacts {
  readonly id: string;
  readonly roomId: string;
  readonly title: string;
  readonly state: 'scheduled' | 'live' | 'interrupted' | 'ended';
  readonly startedMs: number | null;
}

export interface Replay {
  readonly revision: number;
  readonly published: boolean;
  readonly expiresMs: number | null;
  readonly visible: boolean;
  readonly hidden: string; // why it is not
  readonly coverMs: number | null;
  readonly cuts: readonly Stretch[];
  readonly durationMs: number;
  readonly playMs: number;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly wholeUrl: string;
  readonly posterUrl: string;
}

export interface Chapter extends Stretch {
  readonly id: string;
  readonly title: string;
  readonly hidden: boolean;
  readonly product: Product | null;
}

export type Signal = Exclude<SignalName, 'score'>;

export interface Reason {
  readonly signal: Signal;
  readonly value: number;
  readonly usual: number;
  readonly ratio: number;
}

export interface Highlight extends Stretch {
  readonly id: string;
  readonly title: string;
  readonly peakMs: number;
  readonly state: 'proposed' | 'accepted' | 'dismissed';
  readonly score: number;
  readonly reasons: readonly Reason[];
}

export const clipKinds = ['instant', 'copy', 'exact', 'styled'] as const;
export type ClipKind = (typeof clipKinds)[number];

export interface Clip extends Stretch {
  readonly id: string;
  readonly title: string;
  readonly kind: ClipKind;
  readonly aspect: string;
  readonly state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly progress: number;
  readonly error: string;
  readonly bytes: number;
  readonly createdAt: string;
  readonly pageUrl: string;
  readonly fileUrl: string | null;
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '');
const number = (v: unknown): number => (typeof v === 'number' && Number.isFinite(v) ? v : 0);
const list = (v: unknown): readonly unknown[] => (Array.isArray(v) ? v : []);
const items = (v: unknown, name = 'items'): readonly unknown[] => (isFields(v) ? list(v[name]) : []);
const some = <T>(v: readonly unknown[], of: (v: unknown) => T | null): T[] => v.flatMap((one) => of(one) ?? []);
const oneOf = <T extends string>(v: unknown, known: readonly T[], other: T): T => known.find((k) => k === v) ?? other;

function instant(v: unknown): number | null {
  const ms = typeof v === 'string' ? Date.parse(v) : NaN;
  return Number.isFinite(ms) ? ms : null;
}

export function readSession(v: unknown): Session | null {
  if (!isFields(v) || !isFields(v.staff)) return null;
  return {
    id: text(v.staff.id),
    name: text(v.staff.name) || text(v.staff.login) || text(v.staff.email),
    stores: some(list(v.stores), (s) => (isFields(s) ? { id: text(s.id), name: text(s.name), role: text(s.role), permissions: list(s.permissions).map(text) } : null)),
  };
}

export function readFacts(v: unknown): ShowFacts | null {
  if (!isFields(v) || text(v.id) === '') return null;
  const state = oneOf(v.state, ['scheduled', 'live', 'interrupted', 'ended'] as const, 'ended');
  return { id: text(v.id), roomId: text(v.room_id), title: text(v.title), state, startedMs: instant(v.started_at) };
}

export function readReplay(v: unknown): Replay | null {
  if (!isFields(v) || typeof v.revision !== 'number') return null;
  return {
    revision: v.revision,
    published: v.published === true,
    expiresMs: instant(v.expires_at),
    visible: v.visible === true,
    hidden: text(v.hidden),
    coverMs: typeof v.cover_ms === 'number' ? v.cover_ms : null,
    cuts: readStretches(v.cuts),
    durationMs: number(v.duration_ms),
    playMs: number(v.play_ms),
    canUndo: v.can_undo === true,
    canRedo: v.can_redo === true,
    wholeUrl: text(v.whole_url),
    posterUrl: text(v.poster_url),
  };
}

export function readChapters(v: unknown, base: string): Chapter[] {
  return some(items(v), (c) =>
    isFields(c) && text(c.id) !== ''
      ? { id: text(c.id), title: text(c.title), fromMs: number(c.from_ms), toMs: number(c.to_ms), hidden: c.hidden === true, product: readProduct(c.product, base) }
      : null,
  );
}

export function readEntries(v: unknown): Entry[] {
  return some(items(v), (e) => (isFields(e) && typeof e.revision === 'number' ? ({ ...e, by: text(e.by), kind: text(e.kind) } as unknown as Entry) : null));
}

export function readHighlight(v: unknown): Highlight | null {
  if (!isFields(v) || text(v.id) === '') return null;
  return {
    id: text(v.id),
    title: text(v.title),
    fromMs: number(v.from_ms),
    toMs: number(v.to_ms),
    peakMs: number(v.peak_ms),
    state: oneOf(v.state, ['proposed', 'accepted', 'dismissed'] as const, 'proposed'),
    score: number(v.score),
    reasons: some(list(v.reasons), readReason),
  };
}

function readReason(v: unknown): Reason | null {
  const signal = isFields(v) ? signalNames.find((n): n is Signal => n !== 'score' && n === v.signal) : undefined;
  return isFields(v) && signal ? { signal, value: number(v.value), usual: number(v.usual), ratio: number(v.ratio) } : null;
}

export const readHighlights = (v: unknown): Highlight[] => some(items(v), readHighlight);

export function readSignals(v: unknown): Signals | null {
  if (!isFields(v) || number(v.step_ms) <= 0) return null;
  const curve = (name: SignalName): (number | null)[] => list(v[name]).map((n) => (typeof n === 'number' ? n : null));
  return { stepMs: number(v.step_ms), of: { score: curve('score'), likes: curve('likes'), comments: curve('comments'), orders: curve('orders'), viewers: curve('viewers'), loudness: curve('loudness') } };
}

export function readClip(v: unknown): Clip | null {
  if (!isFields(v) || text(v.id) === '') return null;
  return {
    id: text(v.id),
    title: text(v.title),
    kind: oneOf(v.kind, clipKinds, 'instant'),
    aspect: isFields(v.style) ? text(v.style.aspect) : '',
    fromMs: number(v.from_ms),
    toMs: number(v.to_ms),
    state: oneOf(v.state, ['queued', 'running', 'done', 'failed', 'cancelled'] as const, 'queued'),
    progress: Math.min(1, Math.max(0, number(v.progress))),
    error: text(v.error),
    bytes: number(v.bytes),
    createdAt: text(v.created_at),
    pageUrl: text(v.page_url),
    fileUrl: typeof v.mp4_url === 'string' ? v.mp4_url : null,
  };
}

/** Reads a list of clips, or those of a batch. */
export const readClips = (v: unknown): Clip[] => some(isFields(v) && Array.isArray(v.clips) ? v.clips : items(v), readClip);
