import { describe, expect, it } from 'vitest';
import type { Catalogues } from './i18n';

/** Tests that every message of a page stands in every language and takes the same parameters in each. */
export function sameMessages<Key extends string>(catalogues: Catalogues<Key>): void {
  const params = (s: string): string[] => [...s.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();
  describe('catalogues', () => {
    it.each(Object.keys(catalogues.en) as Key[])('%s says the same with the same parameters in every language', (key) => {
      const [en, zh] = [catalogues.en[key], catalogues['zh-CN'][key]];
      expect(zh.trim()).not.toBe('');
      expect(params(zh)).toEqual(params(en));
    });
  });
}
