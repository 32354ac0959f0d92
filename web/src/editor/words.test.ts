import { expect, it } from 'vitest';
import { I18n } from '../i18n/i18n';
import { ApiError } from './api';
import { catalogues } from './messages';
import { editName, errorText, reasonText, sizeText } from './words';

const en = new I18n(catalogues, 'en');
const zh = new I18n(catalogues, 'zh-CN');

it('says why a moment stands out', () => {
  const likes = { signal: 'likes', value: 340, usual: 81, ratio: 4.2 } as const;
  expect(reasonText(likes, en)).toBe('likes 4.2 times the usual');
  expect(reasonText(likes, zh)).toBe('点赞是平时的 4.2 倍');
  expect(reasonText({ ...likes, signal: 'orders', value: 3, ratio: 0 }, en)).toBe('3 orders');
  expect(reasonText({ ...likes, signal: 'viewers', value: 12 }, en)).toBe('12 more viewers');
  expect(reasonText({ ...likes, signal: 'loudness', value: -14.2 }, en)).toBe('louder than usual (-14 LUFS)');
});

it('names edits', () => {
  const chapters = [{ id: 'pin_1', title: 'Tea', fromMs: 0, toMs: 1, hidden: false, product: null }];
  expect(editName({ kind: 'cut', from_ms: 12_000, to_ms: 20_000 }, chapters, en)).toBe('cut 0:12 – 0:20');
  expect(editName({ kind: 'hide_chapter', chapter: 'pin_1' }, chapters, en)).toBe('hide “Tea”');
  expect(editName({ kind: 'merge_chapters', chapter: 'gone' }, chapters, en)).toBe('merge “a chapter” with the next');
  expect(editName({ kind: 'rename_chapter', title: 'x'.repeat(60) }, chapters, en).length).toBeLessThan(60);
  expect(editName('undo', chapters, zh)).toBe('撤销');
});

it('says what is wrong in the words of the server', () => {
  expect(errorText(new ApiError(422, 'the title is too long'), en)).toBe('The title is too long.');
  expect(errorText(new ApiError(422, 'validation failed', [{ field: 'title', message: 'expected length <= 120' }]), en)).toBe('Validation failed: expected length <= 120.');
  expect(errorText(new ApiError(0), en)).toMatch(/connection/);
  expect(errorText(new ApiError(500), en)).toMatch(/500/);
});

it('says sizes', () => {
  expect([sizeText(1_234_567, 'en'), sizeText(900, 'en'), sizeText(25_400_000, 'en')]).toEqual(['1.2 MB', '1 kB', '25 MB']);
});
