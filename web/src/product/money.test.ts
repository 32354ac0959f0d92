import { describe, expect, it } from 'vitest';
import { formatPrice, minorUnitExponent } from './money';

describe('formatPrice', () => {
  it.each([
    [19900, 'CNY', 'zh-CN', '¥199'],
    [19950, 'CNY', 'zh-CN', '¥199.50'],
    [19950, 'CNY', 'en', '¥199.50'],
    [1999, 'USD', 'en', '$19.99'],
    [1200, 'JPY', 'en', '¥1,200'],
    [12345, 'KWD', 'en', 'KWD\u00a012.345'],
    [0, 'EUR', 'en', '€0'],
    [123456789, 'USD', 'en', '$1,234,567.89'],
    [500, 'not a code', 'en', '5 not a code'],
  ])('%d %s in %s is %s', (amount, currency, locale, want) => {
    expect(formatPrice(amount, currency, locale)).toBe(want);
  });

  it('counts minor units by ISO 4217, not by the coins in use', () => {
    expect(minorUnitExponent('IQD')).toBe(3);
    expect(minorUnitExponent('jpy')).toBe(0);
    expect(minorUnitExponent('HUF')).toBe(2);
  });
});
