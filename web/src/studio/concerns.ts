import type { Severity, Warning } from './api';
import type { MessageKey } from './messages';
import type { Quality } from './publish/quality';

/** What only the phone itself knows about its show. */
export interface Facts {
  readonly sending: boolean;
  readonly muted: boolean;
  readonly hasMicrophone: boolean;
  readonly silent: boolean;
  readonly interrupted: boolean; // the system has taken the camera for now
  readonly away: boolean; // the page has come back from the background a moment ago
  readonly quality: Quality | null;
  readonly wantFps: number;
}

interface Concern {
  readonly code: string;
  readonly severity: Severity;
  readonly message: MessageKey;
  readonly remedy: MessageKey;
  readonly holds: (f: Facts) => boolean;
}

/** Frames go out at less than this share of the wish: the picture is seen to stutter. */
const jerky = 0.7;
const held = (f: Facts, by: Quality['limitedBy']): boolean =>
  f.quality !== null && f.quality.limitedBy === by && f.quality.fps < f.wantFps * jerky;

const concerns: readonly Concern[] = [
  { code: 'phone.interrupted', severity: 'critical', message: 'warn.interrupted', remedy: 'warn.interruptedText', holds: (f) => f.interrupted },
  { code: 'phone.away', severity: 'warning', message: 'warn.away', remedy: 'warn.awayText', holds: (f) => f.away && f.sending },
  { code: 'phone.no_microphone', severity: 'warning', message: 'warn.noMicrophone', remedy: 'warn.noMicrophoneText', holds: (f) => !f.hasMicrophone },
  { code: 'phone.muted', severity: 'warning', message: 'warn.muted', remedy: 'warn.mutedText', holds: (f) => f.muted && f.hasMicrophone && f.sending },
  { code: 'phone.silent', severity: 'warning', message: 'warn.silent', remedy: 'warn.silentText', holds: (f) => f.silent && !f.muted && f.hasMicrophone },
  { code: 'phone.bandwidth', severity: 'warning', message: 'warn.bandwidth', remedy: 'warn.bandwidthText', holds: (f) => f.sending && held(f, 'bandwidth') },
  { code: 'phone.cpu', severity: 'warning', message: 'warn.cpu', remedy: 'warn.cpuText', holds: (f) => f.sending && held(f, 'cpu') },
];

/** How long each must have held before it is said, and must be gone before it is taken back. */
const settleMs = { comes: 3_000, goes: 5_000 };
const atOnce = new Set(['phone.away', 'phone.muted', 'phone.interrupted', 'phone.no_microphone', 'phone.silent']);

/** The phone's own warnings, which do not flicker. */
export class Concerns {
  private readonly since = new Map<string, number>();
  private readonly until = new Map<string, number>();

  review(facts: Facts, nowMs: number, t: (key: MessageKey) => string): Warning[] {
    return concerns.filter((c) => this.stands(c, facts, nowMs)).map(({ code, severity, message, remedy }) => ({
      code, severity, message: t(message), remedy: t(remedy),
    }));
  }

  private stands(c: Concern, facts: Facts, now: number): boolean {
    const holds = c.holds(facts);
    if (atOnce.has(c.code)) return holds;
    if (holds) {
      const since = this.since.get(c.code) ?? now;
      this.since.set(c.code, since);
      if (now - since >= settleMs.comes) this.until.set(c.code, now + settleMs.goes);
    } else {
      this.since.delete(c.code);
    }
    return (this.until.get(c.code) ?? -Infinity) > now;
  }
}

const gravity: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 };

/** What the server sees of something the phone knows the cause of, by the phone's code. */
const seenAs: Readonly<Record<string, readonly string[]>> = {
  'phone.interrupted': ['picture_stopped', 'stalled', 'fps_low', 'frames_missing'],
  'phone.away': ['picture_stopped', 'stalled', 'fps_low', 'frames_missing'],
  'phone.no_microphone': ['silent', 'no_sound', 'sound_stopped'],
  'phone.muted': ['silent', 'no_sound', 'sound_stopped'],
  'phone.silent': ['silent'],
  'phone.bandwidth': ['upload_slow', 'fps_low', 'frames_missing'],
  'phone.cpu': ['fps_low', 'frames_missing'],
};

/** The gravest first. What the phone explains is not said again in the server's words. */
export function inOrder(phone: readonly Warning[], server: readonly Warning[]): Warning[] {
  const explained = new Set(phone.flatMap((w) => seenAs[w.code] ?? []));
  return [...phone, ...server.filter((w) => !explained.has(w.code))].sort((a, b) => gravity[a.severity] - gravity[b.severity]);
}
