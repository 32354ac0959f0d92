import type { Trouble } from '../player/engine';
import type { Phase } from '../phase';
import type { Product } from '../../product/product';
import type { ShowView } from '../../channel/frames';
import type { OfferState } from '../../timeline/offers';
import type { Chapter } from '../../timeline/chapters';
import type { Tile } from '../../timeline/storyboard';
import type { Said } from '../../timeline/talk';

/** Everything the page shows, beside the pins, which follow the frames. Components render it and keep no state. */
export interface View {
  readonly phase: Phase;
  readonly title: string;
  readonly latencyMs: number | null;
  readonly viewers: number | null;
  readonly paused: boolean;
  readonly muted: boolean;
  readonly needsTap: boolean;
  readonly buffering: boolean;
  readonly behindLive: boolean;
  readonly liveElsewhere: boolean;
  readonly unsupported: boolean;
  readonly replayComing: boolean; // the show has ended, its replay is being looked for
  readonly trouble: Trouble | null;
  readonly offers: readonly OfferState[]; // open where the picture stands
  readonly said: readonly Said[]; // by viewers, until where the picture stands
  readonly likes: number | null;
  readonly talking: boolean; // viewers can say something now
  readonly showMs: number | null; // where the picture stands
  readonly nextShow: ShowView | null;
  readonly products: readonly Product[];
  readonly productsKnown: boolean;
  readonly showing: ReadonlySet<string>; // products on the picture
  readonly chapters: readonly Chapter[];
  readonly tiles: readonly Tile[]; // small pictures along the track
  readonly canGoBack: boolean; // in the show on air
  readonly talkShown: boolean; // what viewers said stands on the picture of a replay
  readonly positionMs: number;
  readonly durationMs: number;
}

/** What the viewer can ask for. */
export interface Actions {
  toggle(): void;
  toggleSound(): void;
  jumpToLive(): void;
  watchLive(): void;
  watchReplay(): void;
  /** Goes some seconds back; from live into what was before. */
  back(): void;
  /** Goes to a position of what plays; from live into what was before. */
  seek(ms: number): void;
  toggleTalk(): void;
  retry(): void;
  openBag(): void;
  /** Opens a product's own page; the pin is the one that was tapped. */
  openProduct(productId: string, pinId: string | null, opener?: HTMLElement): void;
  openOrders(): void;
  openLottery(id: string, known: Readonly<Record<string, unknown>>): void;
  say(text: string): Promise<string | null>;
  like(): void;
  remind(showId: string): Promise<string>;
  redraw(): void;
}
