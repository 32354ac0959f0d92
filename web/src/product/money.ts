// Minor-unit exponents of ISO 4217 that are not 2. Intl's own digits follow CLDR, which rounds some currencies to the
// coins in use; the server counts in the minor units of the standard.
const exponents: Readonly<Record<string, number>> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0,
  XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3,
  CLF: 4, UYW: 4,
};

/** How many decimal digits the minor unit of an ISO 4217 currency stands for. */
export function minorUnitExponent(currency: string): number {
  return exponents[currency.toUpperCase()] ?? 2;
}

/**
 * Formats an amount of minor units for reading: whole prices without decimals, others with all of them.
 * A currency code that is none gives the plain number and the code.
 */
export function formatPrice(amount: number, currency: string, locale: string): string {
  const exponent = minorUnitExponent(currency);
  const value = amount / 10 ** exponent;
  const digits = Number.isInteger(value) ? 0 : exponent;
  const format: Intl.NumberFormatOptions = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  try {
    return new Intl.NumberFormat(locale, { style: 'currency', currency, currencyDisplay: 'narrowSymbol', ...format }).format(value);
  } catch {
    return `${new Intl.NumberFormat(locale, format).format(value)} ${currency}`.trim();
  }
}
