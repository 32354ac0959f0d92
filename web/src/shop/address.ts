/** Where a parcel goes. */
export interface Address {
  readonly name: string;
  readonly phone: string;
  readonly region: string;
  readonly detail: string;
}

export const fields = ['name', 'phone', 'region', 'detail'] as const;
export type AddressField = (typeof fields)[number];

const rememberedAs = 'vitrine.address';

/** The first field that a courier could not work with. */
export function missing(a: Address): AddressField | null {
  const blank = fields.find((f) => a[f].trim() === '');
  if (blank) return blank;
  return a.phone.replace(/\D/g, '').length < 5 ? 'phone' : null;
}

// Storage is forbidden in some embedded browsers; the address is then typed again.
export function recallAddress(): Address {
  const empty = { name: '', phone: '', region: '', detail: '' };
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(rememberedAs) ?? '{}');
    if (typeof kept !== 'object' || kept === null) return empty;
    const field = (name: AddressField): string => {
      const v: unknown = (kept as Record<string, unknown>)[name];
      return typeof v === 'string' ? v : '';
    };
    return { name: field('name'), phone: field('phone'), region: field('region'), detail: field('detail') };
  } catch {
    return empty;
  }
}

export function rememberAddress(a: Address): void {
  try {
    localStorage.setItem(rememberedAs, JSON.stringify(a));
  } catch {
    // see above
  }
}
