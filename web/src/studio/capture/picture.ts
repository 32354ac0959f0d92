import type { Prefs } from '../prefs';
import { Camera } from './camera';
import { Framer } from './framer';
import { Meter } from './meter';
import { framing, isPortrait, type Size } from './shape';

/** The part of the preview that is needed here. */
export interface Screen {
  readonly video: HTMLVideoElement;
  readonly size: Size | null;
  follow(track: MediaStreamTrack | null): void;
}

/** What goes out: the camera's picture, cut to shape where it has another, and the microphone or silence. */
export class Picture {
  readonly camera: Camera;
  readonly meter = new Meter();
  muted = false;
  private framer: Framer | null = null;
  private onAir: Size | null = null;

  constructor(
    private readonly screen: Screen,
    private readonly prefs: () => Prefs,
    private readonly onChange: () => void,
  ) {
    this.camera = new Camera(() => this.changed());
  }

  /** The size that is sent, null while there is no picture. */
  get size(): Size | null {
    const { size } = this.screen;
    return size && framing(size, this.prefs().shape, this.prefs().definition, this.onAir).size;
  }

  get mirrored(): boolean {
    return this.prefs().mirror && this.camera.facesUser;
  }

  /** The tracks to send, null while the camera is off. */
  tracks(): { video: MediaStreamTrack; audio: MediaStreamTrack } | null {
    const video = this.framer?.track ?? this.camera.video;
    return video && { video, audio: this.camera.audio ?? this.meter.silence() };
  }

  async open(): Promise<void> {
    const p = this.prefs();
    await this.camera.open({ videoId: p.videoId, facing: p.facing, audioId: p.audioId, definition: p.definition, cropped: this.cropped(), voice: p.voice });
  }

  close(): void {
    this.camera.close();
  }

  /** The other of two cameras, or the next of more. */
  next(): Partial<Prefs> {
    const now = this.camera.video?.getSettings();
    if (now?.facingMode === 'user' || now?.facingMode === 'environment') {
      return { videoId: '', facing: now.facingMode === 'user' ? 'environment' : 'user' };
    }
    const ids = this.camera.cameras.map((c) => c.id);
    return { videoId: ids[(ids.indexOf(now?.deviceId ?? '') + 1) % Math.max(1, ids.length)] ?? '' };
  }

  /** Holds on to the size of this moment until it is let go. */
  hold(on: boolean): void {
    this.onAir = on ? (this.onAir ?? this.size) : null;
    this.frame();
  }

  mute(muted: boolean): void {
    this.muted = muted;
    if (this.camera.audio) this.camera.audio.enabled = !muted;
    this.onChange();
  }

  /** Brings what goes out in line with the camera's picture, the wishes and the show. */
  frame(): void {
    const { size } = this.screen;
    if (size && this.camera.video) {
      const want = framing(size, this.prefs().shape, this.prefs().definition, this.onAir);
      const have = this.framer?.size;
      if (!want.crop) this.unframe();
      else if (have?.width !== want.size.width || have.height !== want.size.height) {
        this.unframe();
        this.framer = new Framer(this.screen.video, want.size);
      }
    }
    this.onChange();
  }

  private unframe(): void {
    this.framer?.stop();
    this.framer = null;
  }

  /** Whether the camera will be asked for more than is sent, as only a part of its picture is. */
  private cropped(): boolean {
    const { shape } = this.prefs();
    const { size } = this.screen;
    if (size === null || shape === 'auto') return false;
    return isPortrait(size) !== (shape === 'portrait');
  }

  private changed(): void {
    const { camera } = this;
    if (camera.audio) camera.audio.enabled = !this.muted;
    this.meter.follow(camera.audio);
    this.screen.follow(camera.video);
    if (!camera.video) this.unframe();
    this.frame();
  }
}
