import { expect, it } from 'vitest';
import { Offers, readOffer } from './offers';

const state = (id: string, showMs: number, open: boolean, name = 'dropped') => readOffer('coupon', showMs, { id, open, state: name, offer: { title: id } })!;

it('shows an offer from its frame to its end, whichever way it was learned', () => {
  const offers = new Offers();
  offers.take(state('b', 5_000, true));
  offers.take(state('a', 9_000, false, 'stopped'));
  offers.take(state('a', 1_000, true));
  offers.take(state('a', 1_000, true)); // the sidecar again
  expect(offers.at(999)).toEqual([]);
  expect(offers.at(1_000).map((o) => o.id)).toEqual(['a']);
  expect(offers.at(8_999).map((o) => o.id)).toEqual(['a', 'b']);
  expect(offers.at(9_000).map((o) => o.id)).toEqual(['b']);
  expect(['a', 'b'].map((id) => offers.over(id, false))).toEqual([true, false]); // wherever the picture stands
});

it('reads only what is an offer', () => {
  expect(readOffer('pin', 0, { id: 'x' })).toBeNull();
  expect(readOffer('lottery', 0, { id: 3 })).toBeNull();
  expect(readOffer('lottery', 7, { id: 'lot_1', open: true })).toEqual({ kind: 'lottery', id: 'lot_1', showMs: 7, open: true, state: '', offer: {} });
});

it('leaves after the show what was meant for its replay', () => {
  const offers = new Offers();
  offers.take(state('live', 1_000, true));
  offers.take(readOffer('red_packet', 1_000, { id: 'later', open: true, state: 'dropped', offer: { claim_in: 'replay' } })!);
  expect(['live', 'later'].map((id) => offers.over(id, true))).toEqual([true, false]);
  expect(['live', 'later'].map((id) => offers.over(id, false))).toEqual([false, false]);
});
