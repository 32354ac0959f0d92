import type { Product } from '../../product/product';
import type { PublisherView, Warning } from '../api';
import type { CameraState, Device } from '../capture/camera';
import type { Size } from '../capture/shape';
import type { Phase } from '../phase';
import type { Prefs } from '../prefs';
import type { Quality } from '../publish/quality';

/** How the stream key stands while it is being asked for. */
export type KeyState = 'wanted' | 'checking' | 'wrong' | 'many';

/** Everything the page shows, beside the picture and the microphone's level. Components render it and keep no state. */
export interface View {
  readonly phase: Phase;
  readonly title: string;
  readonly key: KeyState;
  readonly stale: boolean;
  readonly viewers: number | null;
  readonly elapsedMs: number | null;
  readonly camera: CameraState;
  readonly mirrored: boolean;
  readonly picture: Size | null; // as it is sent
  readonly muted: boolean;
  readonly hasMicrophone: boolean;
  readonly quality: Quality | null;
  readonly publisher: PublisherView | null;
  readonly connected: boolean; // the connection is up, the picture may still be on its way
  readonly resumable: boolean; // a show of this room waits for its picture
  readonly busy: boolean; // the show is being ended
  readonly trouble: string; // why the last start failed, "" when it did not
  readonly warnings: readonly Warning[];
  readonly products: readonly Product[];
  readonly productsKnown: boolean;
  readonly showing: ReadonlySet<string>;
  readonly pending: ReadonlySet<string>;
  readonly canPin: boolean;
  readonly cameraId: string; // in use
  readonly microphoneId: string;
  readonly cameras: readonly Device[];
  readonly microphones: readonly Device[];
  readonly prefs: Prefs;
  readonly fixed: boolean; // shape and quality are those of the show
  readonly endedMs: number | null; // how long the show was that ended here
  readonly endedEditor: string | null; // where that show's replay is edited
  readonly watchUrl: string | null;
  readonly secureUrl: string | null; // this page by https
  readonly trustUrl: string | null; // how to make a phone trust this server
  readonly toast: string;
}

/** What the anchor can ask for. at: the instant of the tap on the page's clock. */
export interface Actions {
  enterKey(key: string): void;
  forgetKey(): void;
  retry(): void;
  openCamera(): void;
  goLive(): void;
  end(): void;
  leaveEnded(): void;
  toggleMute(): void;
  flip(): void;
  choose(change: Partial<Prefs>): void;
  togglePin(productId: string, at: number): void;
}
