/** The address of this page by https, from what the server calls it; null when it has none or this is it. */
export function secureAddress(studioUrl: string | null): string | null {
  return studioUrl !== null && studioUrl.startsWith('https:') && location.protocol !== 'https:' ? studioUrl : null;
}

/** The page that shows how a phone comes to trust this server, where there is one. */
export async function trustPage(): Promise<string | null> {
  try {
    const res = await fetch('/trust', { method: 'HEAD', cache: 'no-store' });
    return res.ok ? '/trust' : null;
  } catch {
    return null;
  }
}
