/** The ICE credentials of a session description or a fragment of one. */
export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

const lines = (sdp: string): string[] => sdp.split(/\r?\n/).filter((l) => l !== '');
const attribute = (sdp: string, name: string): string | null =>
  lines(sdp).find((l) => l.startsWith(`a=${name}:`))?.slice(name.length + 3) ?? null;

export function iceCredentials(sdp: string): IceCredentials | null {
  const [ufrag, pwd] = [attribute(sdp, 'ice-ufrag'), attribute(sdp, 'ice-pwd')];
  return ufrag !== null && pwd !== null ? { ufrag, pwd } : null;
}

/**
 * A fragment for PATCH (RFC 9725, 4.3.1; RFC 8840): the credentials of a local description and candidates of its first
 * media section, which stands for all since they are bundled. complete: no more candidates come.
 */
export function fragment(localSdp: string, candidates: readonly string[], complete: boolean): string {
  const credentials = iceCredentials(localSdp);
  const media = lines(localSdp).find((l) => l.startsWith('m='));
  const mid = attribute(localSdp, 'mid');
  return [
    ...(credentials ? [`a=ice-ufrag:${credentials.ufrag}`, `a=ice-pwd:${credentials.pwd}`] : []),
    ...(media === undefined ? [] : [media]),
    ...(mid === null ? [] : [`a=mid:${mid}`]),
    ...candidates.map((c) => `a=${c}`),
    ...(complete ? ['a=end-of-candidates'] : []),
    '',
  ].join('\r\n');
}

/** The remote description after an ICE restart: the answer as it was, with the credentials and candidates of the fragment. */
export function restarted(answerSdp: string, answered: string): string {
  const credentials = iceCredentials(answered);
  if (!credentials) throw new Error('the answer to the ICE restart has no credentials');
  const candidates = lines(answered).filter((l) => l.startsWith('a=candidate:') || l === 'a=end-of-candidates');
  const out: string[] = [];
  let media = 0;
  for (const line of lines(answerSdp)) {
    if (line.startsWith('a=candidate:') || line === 'a=end-of-candidates') continue;
    if (line.startsWith('m=') && media++ === 1) out.push(...candidates);
    if (line.startsWith('a=ice-ufrag:')) out.push(`a=ice-ufrag:${credentials.ufrag}`);
    else if (line.startsWith('a=ice-pwd:')) out.push(`a=ice-pwd:${credentials.pwd}`);
    else out.push(line);
  }
  if (media === 1) out.push(...candidates);
  return [...out, ''].join('\r\n');
}
