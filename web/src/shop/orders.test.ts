import { describe, expect, it } from 'vitest';
import { pickMethod, readIntent, readOrder, readQuote } from './orders';

const base = 'https://shop.example/r/1';

it('reads an order as its buyer sees it', () => {
  const order = readOrder(
    {
      id: 'ord_1', no: '2026', store_id: 'store_1', state: 'shipped', currency: 'CNY', subtotal: 200, off: 50, total: 150, expires_at: '2026-01-01T00:00:00.000Z', created_at: 'x',
      lines: [{ sku_id: 'sku_1', title: 'Cup', quantity: 2, unit: 100, amount: 200, attributes: [{ name: 'Colour', value: 'red' }, { name: 'Size', value: 'M' }] }, 3],
      shipping: { carrier: 'SF', number: '77' }, history: [{ at: '2026-01-01T00:00:00.000Z', code: 'paid', amount: 150 }],
    },
    base,
  );
  expect(order).toMatchObject({ id: 'ord_1', state: 'shipped', off: 50, carrier: 'SF', number: '77', createdMs: 0, expiresMs: Date.UTC(2026, 0, 1) });
  expect(order?.lines).toEqual([{ skuId: 'sku_1', title: 'Cup', imageUrl: null, variant: 'red · M', quantity: 2, unit: 100, amount: 200 }]);
  expect(order?.history).toEqual([{ atMs: Date.UTC(2026, 0, 1), code: 'paid', text: '', amount: 150 }]);
  expect(readOrder({ id: 'ord_1', state: 'eaten' }, base)).toBeNull();
});

it('reads what a cart costs, and why it costs no less', () => {
  expect(readQuote({ total: 150, subtotal: 200, off: 50, currency: 'CNY', applied: [{ claim_id: 'c', title: 'T', off: 50 }], rejected: [{ code: 'min_spend', message: 'm', claim_id: 'd' }] })).toEqual({
    currency: 'CNY', subtotal: 200, off: 50, total: 150, applied: [{ claimId: 'c', title: 'T', off: 50 }], rejected: [{ code: 'min_spend', message: 'm', sku: '' }],
  });
  expect(readQuote(null)).toBeNull();
});

describe('paying', () => {
  it('never opens what is no page', () => {
    expect(readIntent({ pay_url: 'javascript:1', qr_code: 'weixin://wxpay/x' }, base)).toEqual({ payUrl: null, qrCode: 'weixin://wxpay/x' });
  });

  it.each([
    [['sandbox'], true, 'sandbox'],
    [['jsapi', 'h5', 'native'], true, 'native'],
    [['jsapi', 'h5', 'native'], false, 'h5'],
    [['jsapi'], false, null],
  ])('%j on a wide screen %j is paid by %j', (methods, wide, want) => {
    expect(pickMethod({ methods }, wide)).toBe(want);
  });
});
