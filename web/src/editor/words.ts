import type { Language } from '../i18n/i18n';
import { position } from '../ui/time';
import type { ApiError } from './api';
import type { I18n } from './i18n';
import type { EditOp } from './model/history';
import type { Chapter, Reason } from './wire';

/** A number as people write it: 12, 4.2, 1,204. */
export function figure(n: number, lang: Language): string {
  return new Intl.NumberFormat(lang, { maximumFractionDigits: Math.abs(n) < 10 ? 1 : 0 }).format(n);
}

/** Why a highlight stands out: "likes 4.2 times the usual". */
export function reasonText(r: Reason, i18n: I18n): string {
  const value = figure(r.value, i18n.lang);
  if (r.signal === 'loudness') return i18n.t('reason.loudness', { value });
  if (r.signal === 'viewers') return i18n.t('reason.viewers', { value });
  if (r.ratio >= 1.05) return i18n.t(`reason.${r.signal}`, { ratio: figure(r.ratio, i18n.lang) });
  return i18n.t(`reason.${r.signal}Only`, { value });
}

/** What an edit is called: 'Cut 0:12 to 0:20'. */
export function editName(op: EditOp | 'undo' | 'redo', chapters: readonly Chapter[], i18n: I18n): string {
  if (typeof op === 'string') return i18n.t(op);
  const title = short(op.title ?? '') || short(chapters.find((c) => c.id === op.chapter)?.title ?? '') || i18n.t('edit.aChapter');
  const span = { from: position(op.from_ms ?? 0), to: position(op.to_ms ?? 0) };
  switch (op.kind) {
    case 'cut':
    case 'uncut':
      return i18n.t(`edit.${op.kind}`, span);
    case 'rename_chapter':
    case 'split_chapter':
    case 'merge_chapters':
    case 'hide_chapter':
    case 'unhide_chapter':
      return i18n.t(`edit.${op.kind}`, { title });
    case 'cover':
      return op.at_ms === undefined ? i18n.t('edit.coverAuto') : i18n.t('edit.cover', { time: position(op.at_ms) });
    case 'publish':
    case 'unpublish':
      return i18n.t(`edit.${op.kind}`);
    case 'expire':
      return op.expires_at === undefined ? i18n.t('edit.expireNever') : i18n.t('edit.expire', { time: dateText(Date.parse(op.expires_at), i18n.lang) });
    default:
      return op.kind;
  }
}

const short = (s: string): string => (s.length > 28 ? `${s.slice(0, 27)}…` : s);

export function dateText(ms: number, lang: Language): string {
  return new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short' }).format(ms);
}

/** What is wrong, and what to do about it. The server's own words where it has some. */
export function errorText(e: ApiError, i18n: I18n): string {
  if (e.status === 0) return i18n.t('error.network');
  if (e.status === 401) return i18n.t('error.signedOut');
  if (e.status === 403 && e.detail === '') return i18n.t('error.forbidden');
  const fields = e.fields.map((f) => f.message).filter((m) => m !== e.detail && m !== '');
  const words = [e.detail, ...fields].filter((w) => w !== '').join(': ');
  if (words !== '') return words.charAt(0).toUpperCase() + words.slice(1) + (/[.!?。]$/.test(words) ? '' : '.');
  return e.status === 429 ? i18n.t('error.many') : i18n.t('error.server', { status: e.status });
}

/** Bytes as people say them. */
export function sizeText(bytes: number, lang: Language): string {
  const mb = bytes / 1_000_000;
  return mb >= 1 ? `${figure(mb, lang)} MB` : `${Math.max(1, Math.round(bytes / 1000))} kB`;
}
