import { el, setAttr } from '../../ui/dom';
import type { Size } from '../capture/shape';
import type { View } from './view';

/** The camera's picture as viewers get it, but mirrored where the anchor expects a mirror. */
export class Preview {
  readonly video = el('video', { class: 'preview', playsinline: true, 'webkit-playsinline': true, muted: true, autoplay: true, tabindex: '-1', 'data-testid': 'preview' });
  readonly root = el('div', { class: 'picture' }, this.video);
  private shown: MediaStreamTrack | null = null;

  constructor(
    /** The camera's picture has changed its size: the phone was turned, or it is another camera. */
    onSize: () => void,
  ) {
    this.video.muted = true; // the attribute alone does not count for elements made by a script
    this.video.disablePictureInPicture = true;
    for (const type of ['resize', 'loadedmetadata'] as const) this.video.addEventListener(type, onSize);
    // Some phones pause the picture of a page that was in the background.
    document.addEventListener('visibilitychange', () => this.play());
  }

  /** The size of the camera's picture, null while there is none. */
  get size(): Size | null {
    const { videoWidth: width, videoHeight: height } = this.video;
    return width > 0 && height > 0 ? { width, height } : null;
  }

  follow(track: MediaStreamTrack | null): void {
    if (track === this.shown) return;
    this.shown = track;
    this.video.srcObject = track ? new MediaStream([track]) : null;
    this.play();
  }

  render(view: View): void {
    setAttr(this.root, 'data-on', view.camera === 'on');
    setAttr(this.root, 'data-mirrored', view.mirrored);
    const { width, height } = view.picture ?? { width: 9, height: 16 };
    this.root.style.setProperty('--aspect', String(width / height));
    setAttr(this.root, 'data-shape', width > height ? 'landscape' : 'portrait');
  }

  private play(): void {
    if (this.shown && this.video.paused) this.video.play().catch(() => undefined); // it plays with the next touch
  }
}
