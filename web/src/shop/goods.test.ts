import { describe, expect, it } from 'vitest';
import { canPick, choices, mostOf, pickedSku, readGoods, type Sku } from './goods';

const sku = (id: string, colour: string, size: string, stock: number | null = 5): Sku => ({
  id, stock, price: 100, original: null, perBuyer: null,
  attributes: [{ name: 'Colour', value: colour }, { name: 'Size', value: size }],
});

const shirts = [sku('a', 'red', 'S'), sku('b', 'red', 'M', 0), sku('c', 'blue', 'M', null)];

describe('choosing', () => {
  it('asks for each property once, in the merchant\'s order', () => {
    expect(choices(shirts)).toEqual([
      { name: 'Colour', values: ['red', 'blue'] },
      { name: 'Size', values: ['S', 'M'] },
    ]);
    expect(choices([{ ...sku('a', '', ''), attributes: [] }])).toEqual([]);
  });

  it('finds the SKU once all is picked, or at once where there is one', () => {
    expect(pickedSku(shirts, { Colour: 'red' })).toBeNull();
    expect(pickedSku(shirts, { Colour: 'blue', Size: 'M' })?.id).toBe('c');
    expect(pickedSku(shirts.slice(0, 1), {})?.id).toBe('a');
    expect(pickedSku([], {})).toBeNull();
  });

  it('offers no combination that is sold out or does not exist', () => {
    expect(canPick(shirts, {}, 'Size', 'M')).toBe(true);
    expect(canPick(shirts, { Colour: 'red' }, 'Size', 'M')).toBe(false);
    expect(canPick(shirts, { Colour: 'blue' }, 'Size', 'S')).toBe(false);
    expect(canPick(shirts, { Size: 'M' }, 'Colour', 'blue')).toBe(true);
  });

  it('lets nobody ask for more than there is or than one buyer may have', () => {
    expect(mostOf(shirts[0]!)).toBe(5);
    expect(mostOf({ ...shirts[2]!, perBuyer: 2 })).toBe(2);
    expect(mostOf(shirts[1]!)).toBe(1);
    expect(mostOf(null)).toBe(99);
  });
});

it('reads a product from the wire, the price of the show before the list', () => {
  const goods = readGoods(
    {
      id: 'prod_1', store_id: 'store_1', title: 'Cup', price: 900, currency: 'CNY', points: ['a', 3, ''], images: ['/x.jpg', 'javascript:1'],
      skus: [{ id: 'sku_1', price: 900, show_price: 700, stock: 3, attributes: [{ name: 'Colour', value: 'red' }] }, { price: 1 }],
    },
    'https://shop.example/r/1',
  );
  expect(goods).toMatchObject({ storeId: 'store_1', points: ['a'], images: ['https://shop.example/x.jpg'] });
  expect(goods?.skus).toEqual([{ id: 'sku_1', price: 700, original: 900, perBuyer: null, stock: 3, attributes: [{ name: 'Colour', value: 'red' }] }]);
  expect(readGoods({ title: 'x' }, 'https://shop.example')).toBeNull();
});
