import { describe, expect, it } from 'vitest';
import { visiblePins, type Pin } from './pins';

function pin(id: string, startMs: number, endMs: number | null, featured = false): Pin {
  return { id, productId: `prod_${id}`, product: null, featured, startMs, endMs };
}

const show = [pin('a', 1_000, 5_000), pin('b', 2_000, null, true), pin('c', 3_000, 4_000), pin('d', 8_000, 8_000)];

describe('visiblePins', () => {
  it.each([
    [999, [], null],
    [1_000, ['a'], 'a'],
    [2_000, ['a', 'b'], 'b'],
    [3_500, ['a', 'b', 'c'], 'b'],
    [4_000, ['a', 'b'], 'b'],
    [4_999.9, ['a', 'b'], 'b'],
    [5_000, ['b'], 'b'],
    [8_000, ['b'], 'b'],
    [1e9, ['b'], 'b'],
  ])('at %d ms shows %j with %s large', (at, ids, featured) => {
    const visible = visiblePins(show, at);
    expect(visible.pins.map((p) => p.id)).toEqual(ids);
    expect(visible.featured?.id ?? null).toBe(featured);
  });

  it('gives the featured place to the newest that asked for it', () => {
    const pins = [pin('a', 0, null, true), pin('b', 10, 20, true), pin('c', 15, null)];
    expect(visiblePins(pins, 16).featured?.id).toBe('b');
    expect(visiblePins(pins, 20).featured?.id).toBe('a');
  });

  it('shows the newest large when none asked for it', () => {
    expect(visiblePins([pin('a', 0, null), pin('b', 10, null)], 11).featured?.id).toBe('b');
  });

  it('does not mind the order of storing', () => {
    const late = [pin('b', 10, null), pin('a', 0, null)];
    expect(visiblePins(late, 11).pins.map((p) => p.id)).toEqual(['a', 'b']);
  });
});
