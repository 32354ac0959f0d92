import { el, setAttr } from '../../ui/dom';

type AppleVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

/** How much of a picture may be cut off to fill the stage, as a share of one side. */
const cropShare = 0.28;
const ambienceMs = 400;
const spread = [[0, 0], [-5, -3], [5, 3], [-3, 5], [3, -5]] as const;

/**
 * The picture and its surroundings: it fills a phone when it is upright, and stands in its own light when it is not.
 */
export class Stage {
  readonly picture: HTMLElement;
  readonly ambience = el('canvas', { class: 'ambience', 'aria-hidden': 'true', width: '48', height: '48' });
  private readonly small = el('canvas', { width: '12', height: '12' });
  private readonly still = el('canvas', { class: 'still', 'aria-hidden': 'true' });
  private painted = 0;
  private readonly calm = window.matchMedia('(prefers-reduced-motion: reduce)');

  constructor(
    readonly root: HTMLElement,
    readonly video: HTMLVideoElement,
    onFullscreen: () => void,
  ) {
    this.picture = el('div', { class: 'picture' }, video, this.still);
    this.still.hidden = true;
    for (const type of ['resize', 'loadedmetadata'] as const) video.addEventListener(type, () => this.fit());
    video.addEventListener('loadeddata', () => this.thaw());
    new ResizeObserver(() => this.fit()).observe(root);
    document.addEventListener('fullscreenchange', onFullscreen);
  }

  /** Keeps the last frame in sight while the video changes its source. */
  freeze(): void {
    const { videoWidth: w, videoHeight: h } = this.video;
    if (w === 0 || this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    this.still.width = w;
    this.still.height = h;
    this.still.getContext('2d')?.drawImage(this.video, 0, 0);
    this.still.hidden = false;
  }

  /**
   * Paints the light around the picture: a few of its pixels, spread over each other and darkened. Done on a stamp, not
   * by a filter on the stage, which a phone would pay for with every frame.
   */
  paint(now: number): void {
    const due = this.calm.matches ? ambienceMs * 8 : ambienceMs;
    if (now - this.painted < due || this.root.dataset.fit !== 'contain' || this.video.videoWidth === 0) return;
    this.painted = now;
    const [from, to] = [this.small.getContext('2d'), this.ambience.getContext('2d')];
    if (!from || !to) return;
    from.drawImage(this.video, 0, 0, 12, 12);
    spread.forEach(([x, y], i) => {
      to.globalAlpha = 1 / (i + 2); // what was there counts as one layer: changes of scene come in softly
      to.drawImage(this.small, x - 6, y - 6, 60, 60);
    });
    to.globalAlpha = 0.42;
    to.fillRect(0, 0, 48, 48);
  }

  get canFullscreen(): boolean {
    return document.fullscreenEnabled || typeof (this.video as AppleVideo).webkitEnterFullscreen === 'function';
  }

  get isFullscreen(): boolean {
    return document.fullscreenElement === this.root;
  }

  toggleFullscreen(): void {
    if (this.isFullscreen) void document.exitFullscreen();
    else if (document.fullscreenEnabled) this.root.requestFullscreen().catch(() => undefined); // refused: the page stays as it is
    else (this.video as AppleVideo).webkitEnterFullscreen?.();
  }

  private thaw(): void {
    this.still.hidden = true;
    this.still.width = this.still.height = 0;
  }

  private fit(): void {
    const { videoWidth: w, videoHeight: h } = this.video;
    const { clientWidth: sw, clientHeight: sh } = this.root;
    if (w === 0 || sw === 0 || sh === 0) return;
    const ratio = w / h / (sw / sh);
    const cut = 1 - Math.min(ratio, 1 / ratio);
    setAttr(this.root, 'data-fit', cut <= cropShare && h >= w ? 'cover' : 'contain');
    setAttr(this.root, 'data-shape', w > h ? 'landscape' : 'portrait');
    this.root.style.setProperty('--aspect', String(w / h));
  }
}
