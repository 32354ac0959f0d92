/** What every page says of a product. */
export const en = {
  'product.buyLabel': '{title}, {price}: open the shop in a new tab',
  'product.openLabel': '{title}, {price}: choose and buy',
  'product.soldOut': 'Sold out',
  'product.left': 'Only {count} left',
  'product.stock': '{count} in stock',
  'product.untitled': 'Product',
  'product.from': 'from {price}',
} as const;

export type ProductKey = keyof typeof en;

export const zh: Readonly<Record<ProductKey, string>> = {
  'product.buyLabel': '{title}，{price}：在新标签页打开商店',
  'product.openLabel': '{title}，{price}：选购',
  'product.soldOut': '已售罄',
  'product.left': '仅剩 {count} 件',
  'product.stock': '库存 {count} 件',
  'product.untitled': '商品',
  'product.from': '{price} 起',
};
