/**
 * The ICE servers of Link header fields with rel="ice-server" (RFC 9725, 4.6). What is not such a link is passed over.
 */
export function iceServers(header: string | null): RTCIceServer[] {
  return splitOutsideQuotes(header ?? '', ',').flatMap((link) => readServer(link) ?? []);
}

function readServer(link: string): RTCIceServer | null {
  const [target = '', ...fields] = splitOutsideQuotes(link, ';').map((s) => s.trim());
  const url = /^<\s*((?:stun|turn)s?:[^>]+?)\s*>$/i.exec(target)?.[1];
  const params = new Map(fields.map(readParam));
  if (!url || !(params.get('rel') ?? '').toLowerCase().split(/\s+/).includes('ice-server')) return null;
  const [username, credential] = [params.get('username'), params.get('credential')];
  return username !== undefined && credential !== undefined ? { urls: url, username, credential } : { urls: url };
}

function readParam(field: string): [string, string] {
  const at = field.indexOf('=');
  if (at < 0) return [field.toLowerCase(), ''];
  const value = field.slice(at + 1).trim();
  const text = value.startsWith('"') ? value.slice(1, value.endsWith('"') ? -1 : undefined).replace(/\\(.)/g, '$1') : value;
  return [field.slice(0, at).trim().toLowerCase(), text];
}

/** Splits at a separator that stands neither in a quoted string nor in the angle brackets of a target. */
function splitOutsideQuotes(s: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  let bracketed = false;
  for (let i = 0; i < s.length; i++) {
    const c = s.charAt(i);
    if (quoted && c === '\\') i++;
    else if (c === '"' && !bracketed) quoted = !quoted;
    else if (c === '<' && !quoted) bracketed = true;
    else if (c === '>' && !quoted) bracketed = false;
    else if (c === separator && !quoted && !bracketed) {
      parts.push(s.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(s.slice(from));
  return parts.filter((p) => p.trim() !== '');
}
