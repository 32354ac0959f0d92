import { describe, expect, it } from 'vitest';
import { fill, I18n, pickLanguage } from './i18n';
import { catalogues, type MessageKey } from './messages';

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

describe('catalogues', () => {
  const keys = Object.keys(catalogues.en) as MessageKey[];
  const params = (s: string) => [...s.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();

  it.each(keys)('%s says the same with the same parameters in every language', (key) => {
    const [en, zh] = [catalogues.en[key], catalogues['zh-CN'][key]];
    expect(zh.trim()).not.toBe('');
    expect(params(zh)).toEqual(params(en));
  });
});

it('fills what is given and keeps what is not', () => {
  expect(fill('{a} of {b}, {c}', { a: 1, b: 'two' })).toBe('1 of two, {c}');
});

it('tells its listeners about a change', () => {
  const i18n = new I18n('en');
  let heard = '';
  i18n.onChange(() => (heard = i18n.t('state.live')));
  i18n.toggle();
  expect(heard).toBe('直播中');
});
