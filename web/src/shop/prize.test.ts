import { expect, test } from 'vitest';
import { couponPrize } from './prize';

const won = { id: 'win_1', lottery_id: 'lot_1', coupon_id: 'cpn_1', state: 'pending' };

test.each([
  ['nothing won', { items: [] }, null],
  ['no answer', null, null],
  ['of another lottery', { items: [{ ...won, lottery_id: 'lot_2' }] }, null],
  ['a thing that is sent', { items: [{ ...won, coupon_id: undefined }] }, null],
  ['to be taken', { items: [{ ...won, lottery_id: 'lot_2' }, won] }, { id: 'win_1', state: 'pending' }],
  ['taken', { items: [{ ...won, state: 'claimed', coupon_claim: 'clm_1' }] }, { id: 'win_1', state: 'claimed' }],
  ['taken, and not given', { items: [{ ...won, state: 'claimed' }] }, { id: 'win_1', state: 'pending' }],
  ['too late', { items: [{ ...won, state: 'lapsed' }] }, { id: 'win_1', state: 'lapsed' }],
])('the coupon that was won: %s', (_, answer, want) => {
  expect(couponPrize(answer, 'lot_1')).toEqual(want);
});
