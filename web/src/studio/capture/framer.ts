import { centre, frameRate, type Size } from './shape';

/**
 * Makes a track of a fixed size out of a playing video by cutting its middle out. It costs a copy of each picture, so it
 * is used only where the camera's own track has another shape.
 */
export class Framer {
  readonly track: MediaStreamTrack | null;
  private readonly canvas = document.createElement('canvas');
  private readonly context: CanvasRenderingContext2D | null;
  private running = true;

  constructor(
    private readonly video: HTMLVideoElement,
    readonly size: Size,
  ) {
    this.canvas.width = size.width;
    this.canvas.height = size.height;
    this.context = this.canvas.getContext('2d', { alpha: false });
    this.draw();
    const [track] = this.canvas.captureStream(frameRate).getVideoTracks();
    this.track = track ?? null;
    this.follow();
  }

  stop(): void {
    this.running = false;
    this.track?.stop();
  }

  private follow(): void {
    if (!this.running) return;
    const next = (): void => {
      this.draw();
      this.follow();
    };
    if ('requestVideoFrameCallback' in this.video) this.video.requestVideoFrameCallback(next);
    else setTimeout(next, 1000 / frameRate);
  }

  private draw(): void {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (width === 0 || height === 0) return;
    const from = centre({ width, height }, this.size);
    this.context?.drawImage(this.video, from.x, from.y, from.width, from.height, 0, 0, this.size.width, this.size.height);
  }
}
