import { describe, expect, it } from 'vitest';
import { fill, I18n, pickLanguage } from './i18n';

describe('pickLanguage', () => {
  it.each([
    [null, null, ['zh-TW', 'en'], 'zh-CN'],
    [null, null, ['en-GB', 'zh'], 'en'],
    [null, null, ['de-DE', 'zh-CN'], 'zh-CN'],
    [null, null, ['de-DE'], 'en'],
    [null, null, [], 'en'],
    ['zh', 'en', ['en'], 'zh-CN'],
    ['en', 'zh-CN', ['zh'], 'en'],
    ['xx', 'zh-CN', ['en'], 'zh-CN'],
  ] as const)('%s, %s, %j: %s', (query, remembered, browser, want) => {
    expect(pickLanguage(query, remembered, browser)).toBe(want);
  });
});

it('fills what is given and keeps what is not', () => {
  expect(fill('{a} of {b}, {c}', { a: 1, b: 'two' })).toBe('1 of two, {c}');
});

it('tells its listeners about a change', () => {
  const i18n = new I18n({ en: { 'state.live': 'Live' }, 'zh-CN': { 'state.live': '直播中' } }, 'en');
  let heard = '';
  i18n.onChange(() => (heard = i18n.t('state.live')));
  i18n.toggle();
  expect(heard).toBe('直播中');
});
