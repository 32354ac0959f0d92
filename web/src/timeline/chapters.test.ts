import { describe, expect, it } from 'vitest';
import { chapterAt, chaptersOf, readChapters } from './chapters';
import type { Pin } from './pins';
import { PlayMap } from './play-map';

const pin = (id: string, startMs: number, endMs: number | null): Pin => ({ id, productId: `prod_${id}`, product: null, featured: false, startMs, endMs });
const show = [pin('b', 2_000, null), pin('a', 1_000, 5_000), pin('c', 3_000, 4_000)];

describe('chapters of pins', () => {
  it('has one for each pin that lasted, and ends them with the show', () => {
    expect(chaptersOf(show, 10_000, new PlayMap()).map((c) => [c.id, c.startMs, c.endMs])).toEqual([
      ['a', 1_000, 5_000],
      ['b', 2_000, 10_000],
      ['c', 3_000, 4_000],
    ]);
  });

  it('leaves out what lies after the end, and what was cut', () => {
    expect(chaptersOf([pin('x', 12_000, null)], 10_000, new PlayMap())).toEqual([]);
    const map = new PlayMap([{ fromMs: 0, toMs: 2_500 }, { fromMs: 4_500, toMs: 9_000 }]);
    expect(chaptersOf(show, 7_000, map).map((c) => [c.id, c.startMs, c.endMs])).toEqual([
      ['a', 1_000, 3_000],
      ['b', 2_000, 7_000],
    ]);
  });
});

it('reads what the server tells, in play time where it tells', () => {
  const got = readChapters({ chapters: [{ id: 'pin_1', title: 'Cup', from_ms: 5_000, to_ms: 9_000, play_from_ms: 1_000, play_to_ms: 4_000, product: { id: 'prod_1' } }, { id: 'x', from_ms: 2, to_ms: 1 }, 7] });
  expect(got).toEqual([{ id: 'pin_1', title: 'Cup', productId: 'prod_1', product: null, startMs: 1_000, endMs: 4_000 }]);
  expect(chapterAt(got, 3_999)?.id).toBe('pin_1');
  expect(chapterAt(got, 4_000)).toBeNull();
  expect(readChapters(null)).toEqual([]);
});
