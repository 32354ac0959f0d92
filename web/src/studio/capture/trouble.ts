/** Why there is no picture or no sound, in a word that the catalogue has a sentence for. */
export type CaptureTrouble = 'insecure' | 'unsupported' | 'denied' | 'missing' | 'busy' | 'failed';

/** What getUserMedia threw, or why it cannot even be asked (W3C Media Capture and Streams, 10.2). */
export function captureTrouble(why: unknown): CaptureTrouble {
  const name = typeof why === 'object' && why !== null && 'name' in why ? String(why.name) : '';
  switch (name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}

/** Whether this page may ask for a camera at all; null when it may. */
export function captureBarrier(secure: boolean, devices: unknown): CaptureTrouble | null {
  if (devices !== undefined && devices !== null) return null;
  return secure ? 'unsupported' : 'insecure';
}
