package edit

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const second = media.TicksPerSecond

func span(from, to media.Ticks) media.Span { return media.Span{From: from * second, To: to * second} }

func at(t media.Ticks) *media.Ticks { return new(t * second) }

func cut(from, to media.Ticks) Op { return Op{Kind: Cut, From: from * second, To: to * second} }

// apply applies edits that must all be good.
func apply(t *testing.T, s State, ops ...Op) State {
	t.Helper()
	for _, o := range ops {
		var err error
		if s, err = Apply(s, o); err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
	}
	return s
}

func TestCutsAreMerged(t *testing.T) {
	uncut := func(from, to media.Ticks) Op { return Op{Kind: Uncut, From: from * second, To: to * second} }
	for _, ca := range []struct {
		name string
		ops  []Op
		want []media.Span
	}{
		{"one", []Op{cut(1, 2)}, []media.Span{span(1, 2)}},
		{"sorted", []Op{cut(5, 6), cut(1, 2), cut(3, 4)}, []media.Span{span(1, 2), span(3, 4), span(5, 6)}},
		{"overlapping", []Op{cut(1, 3), cut(2, 4)}, []media.Span{span(1, 4)}},
		{"touching", []Op{cut(1, 2), cut(2, 4)}, []media.Span{span(1, 4)}},
		{"within is wider", []Op{cut(2, 3), cut(1, 4)}, []media.Span{span(1, 4)}},
		{"over many", []Op{cut(1, 2), cut(3, 4), cut(5, 6), cut(2, 5)}, []media.Span{span(1, 6)}},
		{"uncut all", []Op{cut(1, 2), uncut(0, 9)}, nil},
		{"uncut the middle", []Op{cut(1, 9), uncut(3, 4)}, []media.Span{span(1, 3), span(4, 9)}},
		{"uncut an edge", []Op{cut(1, 9), cut(20, 30), uncut(8, 21)}, []media.Span{span(1, 8), span(21, 30)}},
	} {
		t.Run(ca.name, func(t *testing.T) {
			if diff := cmp.Diff(ca.want, apply(t, Unedited(), ca.ops...).Cuts, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	for _, ca := range []struct {
		name  string
		op    Op
		kind  errs.Kind
		field string
	}{
		{"negative", Op{Kind: Cut, From: -1, To: 5}, errs.Invalid, "from_ms"},
		{"reversed", cut(5, 4), errs.Invalid, "to_ms"},
		{"empty", cut(5, 5), errs.Invalid, "to_ms"},
		{"absurd", Op{Kind: Cut, From: 0, To: math.MaxInt64}, errs.Invalid, "to_ms"},
		{"most negative", Op{Kind: Cut, From: math.MinInt64, To: math.MinInt64}, errs.Invalid, "from_ms"},
		{"no kind", Op{}, errs.Invalid, "kind"},
		{"another kind", Op{Kind: "drop table"}, errs.Invalid, "kind"},
		{"undo", Op{Kind: Undo}, errs.Invalid, "kind"},
		{"no chapter", Op{Kind: HideChapter}, errs.Invalid, "chapter"},
		{"a path", Op{Kind: HideChapter, Chapter: "../../etc/passwd"}, errs.Invalid, "chapter"},
		{"a long chapter", Op{Kind: HideChapter, Chapter: strings.Repeat("a", 65)}, errs.Invalid, "chapter"},
		{"no place", Op{Kind: SplitChapter, Chapter: "pin_a"}, errs.Invalid, "at_ms"},
		{"a place before the show", Op{Kind: SplitChapter, Chapter: "pin_a", At: at(-1)}, errs.Invalid, "at_ms"},
		{"a cover beyond all", Op{Kind: SetCover, At: new(media.Ticks(math.MaxInt64))}, errs.Invalid, "at_ms"},
		{"with itself", Op{Kind: MergeChapters, Chapter: "pin_a", With: "pin_a"}, errs.Invalid, "with"},
		{"with nothing", Op{Kind: MergeChapters, Chapter: "pin_a"}, errs.Invalid, "with"},
		{"two lines", Op{Kind: RenameChapter, Chapter: "pin_a", Title: "a\nb"}, errs.Invalid, "title"},
		{"blank", Op{Kind: RenameChapter, Chapter: "pin_a", Title: "  "}, errs.Invalid, "title"},
		{"no UTF-8", Op{Kind: RenameChapter, Chapter: "pin_a", Title: "\xff"}, errs.Invalid, "title"},
		{"a long title", Op{Kind: RenameChapter, Chapter: "pin_a", Title: strings.Repeat("茶", 121)}, errs.Invalid, "title"},
		{"published already", Op{Kind: Publish}, errs.Conflict, ""},
		{"never already", Op{Kind: Expire}, errs.Conflict, ""},
		{"no cover already", Op{Kind: SetCover}, errs.Conflict, ""},
		{"nothing cut there", Op{Kind: Uncut, From: 0, To: second}, errs.Conflict, ""},
	} {
		t.Run(ca.name, func(t *testing.T) {
			before := Unedited()
			after, err := Apply(before, ca.op)
			if errs.KindOf(err) != ca.kind || errs.FieldOf(err) != ca.field || errs.MessageOf(err) == "" {
				t.Errorf("%v, field %q", err, errs.FieldOf(err))
			}
			if diff := cmp.Diff(before, after, cmp.AllowUnexported(State{})); diff != "" {
				t.Error("a refused edit changed the state", diff)
			}
		})
	}
	s := apply(t, Unedited(), cut(0, 10))
	if _, err := Apply(s, cut(2, 3)); errs.KindOf(err) != errs.Conflict {
		t.Errorf("cutting twice: %v", err)
	}
}

func TestCutsAreBounded(t *testing.T) {
	s := Unedited()
	for i := range media.Ticks(MaxCuts) {
		s = apply(t, s, cut(2*i, 2*i+1))
	}
	if _, err := Apply(s, cut(2*MaxCuts, 2*MaxCuts+1)); errs.KindOf(err) != errs.Exhausted {
		t.Error(err)
	}
	apply(t, s, cut(0, 2*MaxCuts+1)) // joins them
}

func TestHidden(t *testing.T) {
	s := apply(t, Unedited(), Op{Kind: Expire, Until: noon})
	if err := s.Hidden(noon.Add(-1)); err != nil {
		t.Errorf("before it expires: %v", err)
	}
	if err := s.Hidden(noon); errs.KindOf(err) != errs.NotFound || !strings.Contains(errs.MessageOf(err), "expired on 2026-11-22 12:00 UTC") {
		t.Errorf("at that instant: %v", err)
	}
	s = apply(t, s, Op{Kind: Unpublish})
	if err := s.Hidden(noon.Add(-time.Hour)); errs.KindOf(err) != errs.NotFound || !strings.Contains(errs.MessageOf(err), "not published") {
		t.Error(err)
	}
	s = apply(t, s, Op{Kind: Publish}, Op{Kind: Expire})
	if err := s.Hidden(noon.Add(1000 * time.Hour)); err != nil {
		t.Error(err)
	}
}

// pinned makes ranges: a and b one after the other, c within b, d for the blink of an eye, e until the end.
func pinned() []overlay.Range {
	r := func(id string, from, to media.Ticks) overlay.Range {
		out := overlay.Range{Pin: overlay.Pin{ID: "pin_" + id, ShowTime: from * second, Product: overlay.ProductSnapshot{ID: "prod_" + id, Title: "Product " + id}}}
		if to >= 0 {
			out.End, out.EndWall = to*second, noon
		}
		return out
	}
	return []overlay.Range{r("b", 20, 60), r("a", 5, 20), r("c", 30, 40), r("d", 50, 50), r("e", 80, -1), r("late", 200, -1)}
}

func titles(all []Chapter) (out []string) {
	for _, c := range all {
		mark := ""
		if c.Hidden {
			mark = " hidden"
		}
		out = append(out, fmt.Sprintf("%s %q %d-%d%s", c.ID, c.Title, c.Span.From/second, c.Span.To/second, mark))
	}
	return out
}

func TestChapters(t *testing.T) {
	base := FromPins(pinned(), 100*second)
	s := apply(t, Unedited(),
		Op{Kind: RenameChapter, Chapter: "pin_a", Title: "第一款"},
		Op{Kind: SplitChapter, Chapter: "pin_b", At: at(45), Title: "How it is made"},
		Op{Kind: HideChapter, Chapter: "pin_c"},
		Op{Kind: SplitChapter, Chapter: "pin_b.2", At: at(50)},
		Op{Kind: MergeChapters, Chapter: "pin_b", With: "pin_b.2"},
		Op{Kind: RenameChapter, Chapter: "pin_gone", Title: "what is not there stays away"},
	)
	want := []string{
		`pin_a "第一款" 5-20`, `pin_b "Product b" 20-50`, `pin_c "Product c" 30-40 hidden`, `pin_b.4 "How it is made" 50-60`, `pin_e "Product e" 80-100`,
	}
	if diff := cmp.Diff(want, titles(s.Chapters(base))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`pin_a "Product a" 5-20`, `pin_b "Product b" 20-60`}, titles(base)[:2]); diff != "" {
		t.Error("the pins' own chapters changed", diff)
	}
	s = apply(t, s, Op{Kind: RenameChapter, Chapter: "pin_a"}, Op{Kind: UnhideChapter, Chapter: "pin_c"})
	if got := titles(s.Chapters(base)); got[0] != `pin_a "Product a" 5-20` || got[2] != `pin_c "Product c" 30-40` {
		t.Error(got)
	}
}

func TestChapterEditsAreChecked(t *testing.T) {
	all := FromPins(pinned(), 100*second)
	all[3].Hidden = true // e
	for _, ca := range []struct {
		name  string
		op    Op
		kind  errs.Kind
		field string
	}{
		{"unknown", Op{Kind: HideChapter, Chapter: "pin_x"}, errs.Invalid, "chapter"},
		{"of no length", Op{Kind: HideChapter, Chapter: "pin_d"}, errs.Invalid, "chapter"},
		{"shown", Op{Kind: UnhideChapter, Chapter: "pin_a"}, errs.Conflict, ""},
		{"hidden", Op{Kind: HideChapter, Chapter: "pin_e"}, errs.Conflict, ""},
		{"same title", Op{Kind: RenameChapter, Chapter: "pin_a", Title: "Product a"}, errs.Conflict, ""},
		{"split outside", Op{Kind: SplitChapter, Chapter: "pin_a", At: at(30)}, errs.Invalid, "at_ms"},
		{"split at its start", Op{Kind: SplitChapter, Chapter: "pin_a", At: at(5)}, errs.Invalid, "at_ms"},
		{"split near its end", Op{Kind: SplitChapter, Chapter: "pin_a", At: new(20*second - 1)}, errs.Invalid, "at_ms"},
		{"merge with none", Op{Kind: MergeChapters, Chapter: "pin_a", With: "pin_x"}, errs.Invalid, "with"},
		{"merge over one", Op{Kind: MergeChapters, Chapter: "pin_a", With: "pin_c"}, errs.Invalid, "with"},
		{"merge with a hidden one", Op{Kind: MergeChapters, Chapter: "pin_c", With: "pin_e"}, errs.Invalid, "with"},
	} {
		if err := checkChapters(all, &ca.op); errs.KindOf(err) != ca.kind || errs.FieldOf(err) != ca.field {
			t.Errorf("%s: %v", ca.name, err)
		}
	}
	for _, o := range []Op{
		{Kind: SplitChapter, Chapter: "pin_a", At: at(6)},
		{Kind: MergeChapters, Chapter: "pin_b", With: "pin_a"},
		{Kind: RenameChapter, Chapter: "pin_a", Title: "x"},
	} {
		if err := checkChapters(all, &o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestVTT(t *testing.T) {
	c := func(id, title string, from, to media.Ticks) Played {
		return Played{Chapter{ID: id, Title: title}, span(from, to)}
	}
	got := string(VTT([]Played{
		c("pin_a", "Tea & <b>cups</b> --> now", 0, 20), c("pin_b", "", 10, 4000), c("pin_c", "in b", 20, 30), c("pin_d", "x", 3999, 4100),
	}))
	want := `WEBVTT

pin_a
00:00:00.000 --> 00:00:10.000
Tea &amp; &lt;b&gt;cups&lt;/b&gt; --&gt; now

pin_b
00:00:10.000 --> 01:06:39.000
…

pin_c
00:00:20.000 --> 00:00:30.000
in b

pin_d
01:06:39.000 --> 01:08:20.000
x
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func segmentsOf(durations ...media.Ticks) []playlist.Segment {
	var out []playlist.Segment
	at := media.Ticks(0)
	for i, d := range durations {
		out = append(out, playlist.Segment{MSN: int64(i), Start: at, Duration: d, Wall: noon.Add(at.Duration()), Init: 1, Independent: true})
		at += d
	}
	return out
}

func TestKeep(t *testing.T) {
	all := segmentsOf(2*second, 2*second, 2*second, 2*second+30, 2*second)
	all[1].Discontinuity = true
	for _, ca := range []struct {
		name  string
		cuts  []media.Span
		kept  []int64
		seams []int64
	}{
		{"nothing", nil, []int64{0, 1, 2, 3, 4}, []int64{1}},
		{"part of a segment", []media.Span{{From: 1, To: 2*second - 90}}, []int64{0, 1, 2, 3, 4}, []int64{1}},
		{"the first", []media.Span{span(0, 2)}, []int64{1, 2, 3, 4}, []int64{1}},
		{"one and a half", []media.Span{span(2, 5)}, []int64{0, 2, 3, 4}, []int64{2}},
		{"parts of two", []media.Span{span(3, 5)}, []int64{0, 1, 2, 3, 4}, []int64{1}},
		{"two places", []media.Span{span(2, 4), span(6, 9)}, []int64{0, 2, 4}, []int64{2, 4}},
		{"by rounded ends", []media.Span{span(6, 8)}, []int64{0, 1, 2, 4}, []int64{1, 4}}, // segment 3 ends 30 ticks after 8 s
		{"the end", []media.Span{span(8, 10)}, []int64{0, 1, 2, 3}, []int64{1}},
	} {
		t.Run(ca.name, func(t *testing.T) {
			var kept, seams []int64
			for _, s := range Keep(all, ca.cuts) {
				kept = append(kept, s.MSN)
				if s.Discontinuity {
					seams = append(seams, s.MSN)
				}
			}
			if diff := cmp.Diff(ca.kept, kept); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(ca.seams, seams); diff != "" {
				t.Error("seams", diff)
			}
		})
	}
	if all[2].Discontinuity || all[4].Discontinuity {
		t.Error("the recording's own segments were changed")
	}
}

func TestMap(t *testing.T) {
	all := segmentsOf(2*second, 2*second, 2*second, 2*second, 2*second)
	m := MapOf(Keep(all, []media.Span{span(0, 2), span(4, 8)}))
	if diff := cmp.Diff([]media.Span{span(2, 4), span(8, 10)}, m.Spans()); diff != "" || m.Duration() != 4*second {
		t.Error(diff, m.Duration())
	}
	for _, ca := range []struct {
		show, play media.Ticks
		ok         bool
	}{
		{0, 0, false}, {2, 0, true}, {3, 1, true}, {4, 2, false}, {7, 2, false}, {8, 2, true}, {9, 3, true}, {10, 4, false}, {99, 4, false},
	} {
		if play, ok := m.ToPlay(ca.show * second); play != ca.play*second || ok != ca.ok {
			t.Errorf("show %d s: play %v s, %v", ca.show, play.Seconds(), ok)
		}
	}
	for play, show := range map[media.Ticks]media.Ticks{-5: 2, 0: 2, 1: 3, 2: 8, 3: 9, 4: 10, 9: 10} {
		if got := m.ToShow(play * second); got != show*second {
			t.Errorf("play %d s: show %v s, want %d", play, got.Seconds(), show)
		}
	}
	if got := m.ToPlaySpan(span(4, 8)); !got.Empty() {
		t.Errorf("what is cut out plays at %v", got)
	}
	var none Map
	if play, ok := none.ToPlay(second); play != 0 || ok || none.ToShow(second) != 0 || none.Duration() != 0 {
		t.Error("the zero Map has something")
	}
}

// Whatever is cut, play time and show time are two ways to say the same, in the same order.
func TestMapProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		durations := rapid.SliceOfN(rapid.Map(rapid.Int64Range(4500, 900_000), func(n int64) media.Ticks { return media.Ticks(n) }), 1, 40).Draw(t, "segments")
		all := segmentsOf(durations...)
		end := all[len(all)-1].End()
		s := Unedited()
		for range rapid.IntRange(0, 6).Draw(t, "cuts") {
			from := rapid.Int64Range(0, int64(end)-1).Draw(t, "from")
			to := rapid.Int64Range(from+1, int64(end)).Draw(t, "to")
			if next, err := Apply(s, Op{Kind: Cut, From: media.Ticks(from), To: media.Ticks(to)}); err == nil {
				s = next
			}
		}
		kept := Keep(all, s.Cuts)
		m := MapOf(kept)
		var sum media.Ticks
		for _, k := range kept {
			if LeftOut(&k, s.Cuts) {
				t.Fatalf("segment %d is cut out and kept", k.MSN)
			}
			sum += k.Duration
		}
		if m.Duration() != sum {
			t.Fatalf("%d ticks of %d", m.Duration(), sum)
		}
		for range 50 {
			show := media.Ticks(rapid.Int64Range(0, int64(end)).Draw(t, "show"))
			play, ok := m.ToPlay(show)
			if ok && m.ToShow(play) != show {
				t.Fatalf("show %d plays at %d, which is show %d", show, play, m.ToShow(play))
			}
			later, _ := m.ToPlay(show + 1)
			if later < play || later > play+1 {
				t.Fatalf("play goes from %d to %d", play, later)
			}
		}
	})
}
