import { cameraSize, frameRate, type Definition, type Size } from './shape';
import { captureBarrier, captureTrouble, type CaptureTrouble } from './trouble';

/** What the anchor has chosen. A device that is gone gives way to another. */
export interface Wish {
  readonly videoId: string; // "": the one that faces as below
  readonly facing: 'user' | 'environment';
  readonly audioId: string; // "": the system's own
  readonly definition: Definition;
  readonly cropped: boolean;
  readonly voice: boolean; // echo and noise taken away, loudness evened out
}

export interface Device {
  readonly id: string;
  readonly label: string;
}

export type CameraState = 'off' | 'asking' | 'on' | CaptureTrouble;

/** The camera and the microphone of this device. */
export class Camera {
  state: CameraState = 'off';
  video: MediaStreamTrack | null = null;
  audio: MediaStreamTrack | null = null; // null: no microphone; the show goes without sound
  cameras: readonly Device[] = [];
  microphones: readonly Device[] = [];
  private asked = 0;
  private wish: Wish | null = null;

  constructor(private readonly onChange: () => void) {
    this.devices?.addEventListener('devicechange', () => void this.devicesChanged());
  }

  /** Whether the camera looks at the anchor, who expects to see a mirror. */
  get facesUser(): boolean {
    const facing = this.video?.getSettings().facingMode;
    return facing === undefined || facing === 'user';
  }

  /** Whether the picture or the sound has been taken away for now: by a call, by another app, by the system. */
  get interrupted(): boolean {
    return this.video?.muted === true;
  }

  /** Opens what is wished for, in place of what is open. Never throws: state says how it went. */
  async open(wish: Wish): Promise<void> {
    const barrier = captureBarrier(window.isSecureContext, this.devices);
    if (barrier) { this.become(barrier); return; }
    const asked = ++this.asked;
    this.wish = wish;
    if (this.state !== 'on') this.become('asking');
    // A phone opens one camera at a time: the old one has to be let go first.
    if (this.video && !sameVideo(this.video, wish)) this.letGo('video');
    if (this.audio) this.letGo('audio');
    try {
      const stream = await this.ask(wish);
      if (asked !== this.asked) { stream.getTracks().forEach((t) => t.stop()); return; }
      this.take(stream);
      this.become('on');
    } catch (why) {
      if (asked === this.asked) this.become(captureTrouble(why));
    }
    await this.list();
  }

  close(): void {
    this.asked++;
    this.letGo('video');
    this.letGo('audio');
    this.become('off');
  }

  private get devices(): MediaDevices | undefined {
    return (navigator as { readonly mediaDevices?: MediaDevices }).mediaDevices;
  }

  private async ask(wish: Wish): Promise<MediaStream> {
    const { devices } = this;
    if (!devices) throw new Error('no devices');
    const video = videoConstraints(wish);
    const audio = audioConstraints(wish);
    try {
      return await devices.getUserMedia({ video, audio });
    } catch (why) {
      if (captureTrouble(why) === 'denied') throw why;
      // One of the two may be missing or taken: the picture alone is better than nothing.
      return devices.getUserMedia({ video });
    }
  }

  private take(stream: MediaStream): void {
    const [video] = stream.getVideoTracks();
    const [audio] = stream.getAudioTracks();
    this.letGo('video');
    this.letGo('audio');
    this.video = video ?? null;
    this.audio = audio ?? null;
    for (const track of stream.getTracks()) {
      for (const type of ['mute', 'unmute'] as const) track.addEventListener(type, () => this.onChange());
      track.addEventListener('ended', () => this.onEnded(track));
    }
  }

  /** Unplugged, or taken by the system: whatever is there now takes its place. */
  private onEnded(track: MediaStreamTrack): void {
    if ((track !== this.video && track !== this.audio) || !this.wish) return;
    void this.open(this.wish);
  }

  private letGo(kind: 'video' | 'audio'): void {
    this[kind]?.stop();
    this[kind] = null;
  }

  private devicesChanged(): Promise<void> {
    return this.state === 'missing' && this.wish ? this.open(this.wish) : this.list();
  }

  /** Devices have names and stable ids only once the anchor has let the page in. */
  private async list(): Promise<void> {
    const all = (await this.devices?.enumerateDevices().catch(() => [])) ?? [];
    const of = (kind: MediaDeviceKind): Device[] =>
      all.filter((d) => d.kind === kind && d.deviceId !== '').map((d) => ({ id: d.deviceId, label: d.label }));
    this.cameras = of('videoinput');
    this.microphones = of('audioinput').filter((d) => d.id !== 'communications');
    this.onChange();
  }

  private become(state: CameraState): void {
    this.state = state;
    this.onChange();
  }
}

function sameVideo(track: MediaStreamTrack, wish: Wish): boolean {
  const s = track.getSettings();
  const size: Size = cameraSize(wish.definition, wish.cropped);
  const device = wish.videoId === '' ? s.facingMode === undefined || s.facingMode === wish.facing : s.deviceId === wish.videoId;
  return track.readyState === 'live' && device && Math.max(s.width ?? 0, s.height ?? 0) === size.width;
}

function videoConstraints(wish: Wish): MediaTrackConstraints {
  const { width, height } = cameraSize(wish.definition, wish.cropped);
  const which: MediaTrackConstraints = wish.videoId === '' ? { facingMode: wish.facing } : { deviceId: wish.videoId };
  return { ...which, width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: frameRate, max: frameRate } };
}

function audioConstraints(wish: Wish): MediaTrackConstraints {
  const which: MediaTrackConstraints = wish.audioId === '' ? {} : { deviceId: wish.audioId };
  const { voice } = wish;
  return { ...which, echoCancellation: voice, noiseSuppression: voice, autoGainControl: voice, channelCount: { ideal: 2 }, sampleRate: { ideal: 48_000 } };
}
