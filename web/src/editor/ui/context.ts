import type { Pin } from '../../timeline/pins';
import type { Stretch } from '../../timeline/play-map';
import type { Signals, SignalName, Wave } from '../model/curve';
import type { EditOp, Next } from '../model/history';
import type { Selection } from '../model/selection';
import type { Board } from '../model/storyboard';
import type { Outcome } from '../desk';
import type { ClipWish } from '../api';
import type { Chapter, Clip, Highlight, Replay, Session, ShowFacts } from '../wire';

export type Phase = 'loading' | 'signin' | 'unknown' | 'forbidden' | 'failed' | 'ready';

/** Which curve stands on the axis; all: each of them, one over the other. */
export type Shown = SignalName | 'all';

/** What the page shows. */
export interface View {
  readonly phase: Phase;
  readonly detail: string; // what the server says of a failure
  readonly session: Session | null;
  /** Why changes are off, null where they are on. */
  readonly off: string | null;
  readonly show: ShowFacts | null;
  readonly replay: Replay | null;
  readonly chapters: readonly Chapter[];
  readonly next: Next;
  readonly busy: boolean;
  readonly waiting: boolean;
  readonly highlights: readonly Highlight[] | null; // null: not known yet
  readonly clips: readonly Clip[] | null;
  readonly signals: Signals | null;
  readonly shown: Shown;
  readonly board: Board;
  readonly wave: Wave | null;
  readonly pins: readonly Pin[];
  readonly selection: Selection;
  readonly durationMs: number;
  readonly atMs: number; // the playhead
  readonly paused: boolean;
  readonly muted: boolean;
  readonly skipsCuts: boolean;
}

/** What an export is made of. */
export type ExportOf = { readonly kind: 'range'; readonly span: Stretch; readonly title: string } | { readonly kind: 'chapter' | 'highlight'; readonly id: string; readonly span: Stretch; readonly title: string } | { readonly kind: 'products' };

/** What the person may do. What fails is said by the page unless its promise says so. */
export interface Actions {
  signIn(name: string, password: string): Promise<string>; // what is wrong, '' for nothing
  dropSignIn(): void;
  signOut(): void;
  reload(): void;
  seek(ms: number, show?: boolean): void;
  toggle(): void;
  playStretch(s: Stretch): void;
  toggleMute(): void;
  toggleSkip(): void;
  select(s: Selection): void;
  /** Selects a stretch, shows it on the axis and goes to its beginning. */
  take(s: Stretch): void;
  choose(shown: Shown): void;
  /** Failures are said in a toast, unless whoever asks says them at a field. */
  edit(op: EditOp | 'undo' | 'redo', atField?: boolean): Promise<Outcome>;
  cutSelection(): void;
  restore(s: Stretch): void;
  splitHere(): void;
  decide(h: Highlight, change: Readonly<Record<string, unknown>>): Promise<boolean>;
  openExport(of: ExportOf): void;
  makeClip(wish: ClipWish, each: boolean): Promise<void>;
  clipAct(id: string, act: 'cancel' | 'retry' | 'delete'): void;
  copy(url: string): void;
  say(text: string): void;
}
