import { isFields } from '../product/product';

/** A coupon that the viewer has won. */
export interface CouponPrize {
  readonly id: string;
  readonly state: 'pending' | 'claimed' | 'lapsed';
}

/** The coupon that a viewer has won in a lottery, of what the server says they have won in all; null: none. */
export function couponPrize(answer: unknown, lotteryId: string): CouponPrize | null {
  const items: unknown = isFields(answer) ? answer.items : null;
  if (!Array.isArray(items)) return null;
  for (const p of items as readonly unknown[]) {
    if (!isFields(p) || p.lottery_id !== lotteryId || typeof p.id !== 'string' || typeof p.coupon_id !== 'string' || p.coupon_id === '') continue;
    if (p.state === 'lapsed') return { id: p.id, state: 'lapsed' };
    // One that is claimed but not given yet (the server went away between) is asked for again.
    return { id: p.id, state: p.state === 'claimed' && typeof p.coupon_claim === 'string' && p.coupon_claim !== '' ? 'claimed' : 'pending' };
  }
  return null;
}
