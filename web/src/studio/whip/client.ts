import { iceServers } from './link-header';

/** A request that the server refused or that never reached it. */
export class WhipError extends Error {
  constructor(
    /** The HTTP status, 0 when there was no answer. */
    readonly status: number,
    /** What the server said, in its words; "" when it said nothing. */
    readonly detail: string,
    /** How long it asks to wait, null when it does not say. */
    readonly retryAfterMs: number | null,
  ) {
    super(detail === '' ? `status ${status}` : detail);
  }
}

type Fetch = typeof fetch;

const timeoutMs = 12_000;
const fragmentType = 'application/trickle-ice-sdpfrag';

/** The client side of WHIP (RFC 9725): one endpoint, one stream key. */
export class WhipClient {
  constructor(
    private readonly endpoint: string,
    private readonly key: string,
    private readonly fetcher: Fetch = (...args) => fetch(...args),
  ) {}

  /** Posts an offer. Throws WhipError. */
  async offer(sdp: string): Promise<{ answer: string; resource: WhipResource; iceServers: RTCIceServer[] }> {
    const res = await this.ask(this.endpoint, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: sdp });
    const location = res.headers.get('Location');
    if (res.status !== 201 || location === null) throw new WhipError(res.status, 'the answer is not one of WHIP', null);
    const url = new URL(location, new URL(this.endpoint, document.baseURI)).href;
    return {
      answer: await res.text(),
      resource: new WhipResource(url, res.headers.get('ETag'), (u, init) => this.ask(u, init)),
      iceServers: iceServers(res.headers.get('Link')),
    };
  }

  private async ask(url: string, init: RequestInit): Promise<Response> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeoutMs);
    try {
      const headers = { ...(init.headers as Record<string, string> | undefined), Authorization: `Bearer ${this.key}` };
      const res = await this.fetcher(url, { ...init, headers, signal: abort.signal, cache: 'no-store' });
      if (!res.ok) throw await refusal(res);
      return res;
    } catch (why) {
      throw why instanceof WhipError ? why : new WhipError(0, '', null);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** One session at the server: it is told of candidates and restarts, and deleted when the show is to end. */
export class WhipResource {
  constructor(
    readonly url: string,
    private etag: string | null,
    private readonly ask: (url: string, init: RequestInit) => Promise<Response>,
  ) {}

  /** Tells of candidates. Throws WhipError; a server without trickle says 405 or 501. */
  async trickle(fragment: string): Promise<void> {
    await this.patch(fragment, this.etag);
  }

  /** Restarts ICE with the credentials of the fragment, returns the server's fragment. Throws WhipError. */
  async restart(fragment: string): Promise<string> {
    const res = await this.patch(fragment, '*'); // RFC 9725, 4.3.3
    this.etag = res.headers.get('ETag') ?? this.etag;
    return res.text();
  }

  /** Ends the session and so the show. Goes out even while the page goes away. Throws WhipError. */
  async delete(): Promise<void> {
    await this.ask(this.url, { method: 'DELETE', keepalive: true });
  }

  private patch(body: string, etag: string | null): Promise<Response> {
    const headers = { 'Content-Type': fragmentType, ...(etag === null ? {} : { 'If-Match': etag }) };
    return this.ask(this.url, { method: 'PATCH', headers, body });
  }
}

async function refusal(res: Response): Promise<WhipError> {
  const wait = Number(res.headers.get('Retry-After') ?? NaN);
  return new WhipError(res.status, await problemText(res), Number.isFinite(wait) ? Math.max(0, wait) * 1000 : null);
}

/** The detail of RFC 9457 problem details, or a short plain text. */
export async function problemText(res: Response): Promise<string> {
  const text = await res.text().catch(() => '');
  try {
    const body: unknown = JSON.parse(text);
    const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
    return [fields.detail, fields.title].find((v): v is string => typeof v === 'string' && v !== '') ?? '';
  } catch {
    return text.length <= 300 && !text.includes('<') ? text.trim() : '';
  }
}
