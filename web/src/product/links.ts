/**
 * The absolute form of a link that may be put into the page, or null: only http and https pass, so that a product can
 * never carry a script.
 */
export function webLink(raw: unknown, base: string): string | null {
  if (typeof raw !== 'string' || raw.trim() === '') return null;
  let url: URL;
  try {
    url = new URL(raw, base);
  } catch {
    return null;
  }
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
}
