import { describe, expect, it } from 'vitest';
import { Timeline, type PinRange } from './timeline';

const base = 'https://shop.example/';
const wall = Date.UTC(2026, 10, 22, 12);

const pinned = (id: string, showMs: number, featured = false) => ({
  seq: 1, type: 'pin', showMs, wallMs: wall + showMs,
  data: { pin: { id, product_id: 'prod_1', featured, show_time_ms: showMs, product: { id: 'prod_1', title: 'Scarf', price: 1, currency: 'CNY' } } },
});
const unpinned = (id: string, showMs: number) => ({ seq: 2, type: 'unpin', showMs, wallMs: wall + showMs, data: { pin_id: id, product_id: 'prod_1' } });
const range = (id: string, showMs: number | null, at: number, end: number | null = null): PinRange => ({
  id, productId: 'prod_1', title: 'Scarf', showMs, startWallMs: wall + at, endWallMs: end === null ? null : wall + end,
});
const times = (t: Timeline) => t.pins().map((p) => [p.id, p.startMs, p.endMs]);

describe('Timeline', () => {
  it('folds the log into pins', () => {
    const t = new Timeline('show_1', base);
    t.event(pinned('pin_a', 1_000, true));
    t.event(unpinned('pin_a', 4_000));
    t.event(pinned('pin_b', 500));
    expect(times(t)).toEqual([['pin_b', 500, null], ['pin_a', 1_000, 4_000]]);
    expect(t.pins()[1]?.product?.title).toBe('Scarf');
  });

  it('takes an unpin that comes before its pin', () => {
    const t = new Timeline('show_1', base);
    t.event(unpinned('pin_a', 4_000));
    t.event(pinned('pin_a', 1_000));
    expect(times(t)).toEqual([['pin_a', 1_000, 4_000]]);
  });

  it('is idempotent', () => {
    const t = new Timeline('show_1', base);
    for (let i = 0; i < 2; i++) {
      t.event(pinned('pin_a', 1_000));
      t.event(unpinned('pin_a', 4_000));
    }
    expect(times(t)).toEqual([['pin_a', 1_000, 4_000]]);
  });

  it('shows the pins of a playlist to a viewer who has no channel', () => {
    const t = new Timeline('show_1', base);
    t.ranges([range('pin_a', 5_000, 5_000, 9_000), range('pin_b', 7_000, 7_000)]);
    expect(times(t)).toEqual([['pin_a', 5_000, 9_000], ['pin_b', 7_000, null]]);
    expect(t.epochs.showAt(wall + 8_000)).toBe(8_000);
  });

  it('maps a range without a show time by its date, once an epoch is known', () => {
    const t = new Timeline('show_1', base);
    t.ranges([range('pin_a', null, 5_000)]);
    expect(times(t)).toEqual([]);
    t.epochs.tell([{ showMs: 100, wallMs: wall }]);
    t.ranges([range('pin_a', null, 5_000)]);
    expect(times(t)).toEqual([['pin_a', 5_100, null]]);
  });

  it('is one pin by its id, and the log knows its end better than a date does', () => {
    const t = new Timeline('show_1', base);
    t.epochs.tell([{ showMs: 0, wallMs: wall }]);
    t.ranges([range('pin_a', 1_000, 1_001, 4_002)]);
    t.event(pinned('pin_a', 1_000, true));
    t.event(unpinned('pin_a', 4_000));
    t.ranges([range('pin_a', 1_000, 1_001, 4_002)]);
    expect(times(t)).toEqual([['pin_a', 1_000, 4_000]]);
    expect(t.pins()[0]?.featured).toBe(true);
  });

  it('ends what a snapshot no longer has, until a playlist says when exactly', () => {
    const t = new Timeline('show_1', base);
    t.event(pinned('pin_a', 1_000));
    t.snapshot([], [{ showMs: 0, wallMs: wall }], 30_000);
    expect(times(t)).toEqual([['pin_a', 1_000, 30_000]]);
    t.ranges([range('pin_a', 1_000, 1_000, 12_000)]);
    expect(times(t)).toEqual([['pin_a', 1_000, 12_000]]);
    t.snapshot([], [{ showMs: 0, wallMs: wall }], 40_000);
    expect(times(t)).toEqual([['pin_a', 1_000, 12_000]]);
  });

  it('ends a pin across a gap at the show time of its date', () => {
    const t = new Timeline('show_1', base);
    t.epochs.tell([{ showMs: 0, wallMs: wall }, { showMs: 10_000, wallMs: wall + 15_000 }]);
    t.ranges([range('pin_a', 9_000, 9_000, 17_000)]);
    expect(times(t)).toEqual([['pin_a', 9_000, 12_000]]);
  });

  it('knows the next change', () => {
    const t = new Timeline('show_1', base);
    t.event(pinned('pin_a', 1_000));
    t.event(unpinned('pin_a', 4_000));
    expect([0, 1_000, 4_000].map((at) => t.nextChange(at))).toEqual([1_000, 4_000, Infinity]);
  });

  it('passes over events that make no sense', () => {
    const t = new Timeline('show_1', base);
    for (const data of [null, 'x', {}, { pin: 3 }, { pin: {} }, { pin_id: 4 }]) {
      t.event({ seq: 1, type: 'pin', showMs: 0, wallMs: 0, data });
      t.event({ seq: 1, type: 'unpin', showMs: 0, wallMs: 0, data });
    }
    expect(t.pins()).toEqual([]);
  });
});
