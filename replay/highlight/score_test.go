package highlight

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// poisson draws a count.
func poisson(r *rand.Rand, mean float64) float64 {
	n, p := 0.0, r.Float64()
	for limit := math.Exp(-mean); p > limit; n++ {
		p *= r.Float64()
	}
	return n
}

// evening is a show in which nothing stands out: a growing audience that likes, talks and buys at random.
func evening(seconds int, seed uint64) Signals {
	r := rand.New(rand.NewPCG(seed, 1))
	s := NewSignals(at(seconds))
	for t := range seconds {
		audience := 200 + 100*float64(t)/float64(seconds)
		s.Viewers[t] = audience + math.Round(r.NormFloat64()*4)
		if t%3 == 0 { // likes come in every three seconds, some of a thumb at once
			for range int(poisson(r, audience/150)) {
				s.Likes[t] += 1 + float64(r.IntN(20))
			}
		}
		s.Comments[t] = poisson(r, audience/1000)
		s.Orders[t] = poisson(r, audience/20_000)
		s.Loudness[t] = -23 + r.NormFloat64()*2
		if t%17 == 0 {
			s.Loudness[t] = -45 // takes a breath
		}
	}
	return s
}

// plant makes the audience love what is shown for so many seconds from t on.
func plant(s *Signals, t, seconds int, strength float64) {
	for i := t; i < t+seconds; i++ {
		s.Likes[i+5] += math.Round(12 * strength)
		s.Comments[i+9] += math.Round(1 * strength)
		s.Loudness[i] += 3
		if i%5 == 0 {
			s.Orders[i+30] += math.Round(strength)
		}
	}
}

func TestFindsWhatStandsOut(t *testing.T) {
	for seed := range uint64(5) {
		s := evening(3600, seed)
		want := []int{400, 1500, 2600, 3300}
		for _, at := range want {
			plant(&s, at, 25, 2)
		}
		moments := Score(s, nil)
		for _, w := range want {
			i := slices.IndexFunc(moments, func(m Moment) bool { return m.Span.Overlaps(media.Span{From: at(w), To: at(w + 25)}) })
			if i < 0 {
				t.Errorf("seed %d: nothing at %d s in %v", seed, w, spans(moments))
				continue
			}
			m := moments[i]
			if d := m.Span.From - at(w); d > at(6) || d < -at(15) || m.Span.To < at(w+20) || m.Span.To > at(w+60) {
				t.Errorf("seed %d: %v is not where %d to %d s is", seed, spans(moments[i:i+1]), w, w+25)
			}
			if len(m.Reasons) < 2 || m.Reasons[0].Ratio < 2 {
				t.Errorf("reasons %+v", m.Reasons)
			}
		}
		if len(moments) > len(want)+1 {
			t.Errorf("seed %d: found %v", seed, spans(moments))
		}
	}
}

// What happens at random gives a moment an hour at most.
func TestNoiseIsNoMoment(t *testing.T) {
	found, hours := 0, 0
	for seed := range uint64(10) {
		s := evening(2*3600, 100+seed)
		r := rand.New(rand.NewPCG(seed, 2))
		for _, list := range [][]float64{s.Likes, s.Comments, s.Orders, s.Loudness} {
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
		found, hours = found+len(Score(s, nil)), hours+2
	}
	if found > hours/4 {
		t.Errorf("%d moments in %d hours of noise", found, hours)
	}
	t.Logf("%d moments in %d hours of noise", found, hours)
}

func TestStrongerIsMore(t *testing.T) {
	last := 0.0
	for _, strength := range []float64{2, 3, 5, 8, 13} {
		s := evening(3600, 7)
		plant(&s, 1000, 25, strength)
		moments := Score(s, nil)
		i := slices.IndexFunc(moments, func(m Moment) bool { return m.Span.Contains(at(1010)) })
		if i < 0 || moments[i].Score <= last {
			t.Fatalf("strength %v: %v after %v", strength, spans(moments), last)
		}
		last = moments[i].Score
	}
}

func TestMomentsInChapters(t *testing.T) {
	s := evening(1200, 4)
	plant(&s, 600, 25, 3)
	chapters := []edit.Chapter{
		{ID: "pin_0", Span: media.Span{From: at(590), To: at(620)}, Hidden: true},
		{ID: "pin_1", Title: "Tea", Span: media.Span{From: at(594), To: at(800)}, Product: overlay.ProductSnapshot{ID: "prod_1"}},
		{ID: "pin_2", Title: "Cups", Span: media.Span{From: at(100), To: at(594)}},
	}
	m := Score(s, chapters)
	if len(m) != 1 || m[0].Span.From != at(594) || m[0].ChapterID != "pin_1" || m[0].ProductID != "prod_1" || m[0].Title != "Tea" {
		t.Errorf("%+v", m)
	}
	// Without chapters edges go to where the anchor takes a breath, if that is near.
	c := curvesOf(&s)
	breath := at(595) + media.TicksPerSecond/2
	for from, want := range map[int]media.Ticks{594: breath, 599: breath, 591: breath, 590: at(590), 603: at(603)} {
		if got := c.snap(at(from), nil); got != want {
			t.Errorf("an edge at %d s went to %v, want %v", from, got, want)
		}
	}
}

func TestFewSecondsAndNothing(t *testing.T) {
	for _, s := range []Signals{{}, {Duration: 1}, NewSignals(at(5)), NewSignals(at(4000)), {Duration: at(50), Likes: []float64{1e9}, Viewers: []float64{math.Inf(1)}}} {
		for _, m := range Score(s, nil) {
			if m.Span.From < 0 || m.Span.To > s.Duration || m.Span.Empty() {
				t.Errorf("%+v of %v", m, s.Duration)
			}
		}
		if len(Curve(s)) != s.Seconds() {
			t.Error("a curve of another length")
		}
	}
}

// Moments never overlap, lie in the show and are told in order; those of a show keep their names while it goes on.
func TestMomentsAreApart(t *testing.T) {
	s := evening(3600, 9)
	for at := 200; at < 3400; at += 70 {
		plant(&s, at, 10+at%40, 4)
	}
	all := Score(s, nil)
	for i, m := range all {
		if i > 0 && m.Span.From < all[i-1].Span.To || m.Span.Empty() || m.Span.To > s.Duration || m.Span.Len() > at(longest+2*snapToChapter) {
			t.Errorf("%v", spans(all))
		}
		if peak, ok := peakOf(m.ID); !ok || peak != m.Peak {
			t.Errorf("%q does not name its peak", m.ID)
		}
	}
	short := s
	short.Duration = at(1800)
	kept := 0
	for _, m := range Score(short, nil) {
		if slices.ContainsFunc(all, func(o Moment) bool { return distance(o.Peak, m.Peak) <= sameMoment }) {
			kept++
		}
	}
	if got := len(Score(short, nil)); kept < got-2 || got == 0 {
		t.Errorf("%d of %d moments kept their places", kept, got)
	}
}

func TestIDs(t *testing.T) {
	for _, id := range []string{"", "hl_", "hl_-1", "hl_+1", "hl_01", "hl_1.5", "hl_99999999999", "hl_1;drop", "x_1"} {
		if _, ok := peakOf(id); ok {
			t.Errorf("%q names a moment", id)
		}
	}
}

func spans(moments []Moment) (out []string) {
	for _, m := range moments {
		out = append(out, fmt.Sprintf("%d-%d s (%.1f)", second(m.Span.From), second(m.Span.To), m.Score))
	}
	return out
}

func BenchmarkScore(b *testing.B) {
	s := evening(4*3600, 1)
	for range 20 {
		plant(&s, 600, 20, 3)
	}
	for b.Loop() {
		Score(s, nil)
	}
}
