package highlight

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// Signal names one of the signals. The names are part of the public interface.
type Signal string

// The signals.
const (
	Likes    Signal = "likes"
	Comments Signal = "comments"
	Orders   Signal = "orders"
	Viewers  Signal = "viewers"
	Loudness Signal = "loudness"
)

// How a signal answers to what is shown: after how many seconds as a rule, spread over how many, how many of it make one
// sign of interest (a thumb gives a dozen likes at once), and how much it counts beside the others.
var response = map[Signal]struct {
	lag, width int
	unit       float64
	weight     float64
}{
	Likes:    {5, 20, 10, 1},
	Comments: {9, 24, 1, 1},
	Orders:   {30, 60, 1, 1.25},
	Viewers:  {10, 60, 1, 0.75},
	Loudness: {0, 5, 1, 0.5},
}

// order is that of reasons of the same strength.
var order = []Signal{Orders, Likes, Comments, Viewers, Loudness}

const (
	// threshold is what makes a moment, in standard deviations of the score.
	threshold = 5
	// leastReason is the strength from which a signal is told as a reason.
	leastReason = 1.5
	// A moment ends where the score falls below this part of its peak.
	shoulder = 0.35

	shortest, longest = 15, 90 // seconds of a moment
	before            = 3      // seconds shown before what was reacted to
	snapToChapter     = 8      // seconds
	snapToPause       = 4
	apart             = 30  // seconds between peaks
	secondsPerMoment  = 120 // a show of an hour has at most 3 + 30 moments
	mostMoments       = 40
	pauseBelow        = 10.0 // dB below what is usual: nobody speaks
)

// Reason says why a moment stands out, as data: pages put it into words.
type Reason struct {
	Signal Signal `json:"signal"`
	// Strength is how unusual it was, in standard deviations.
	Strength float64 `json:"strength"`
	// Value is what there was in the moment, Usual what there is in as much time of the rest of the show: likes, comments
	// and orders are counted, of viewers it is by how many more they became, of loudness the LUFS.
	Value float64 `json:"value"`
	Usual float64 `json:"usual"`
	// Ratio is Value for each Usual, at most 99; 0 where that says nothing.
	Ratio float64 `json:"ratio"`
}

// Moment is a stretch of a show that stands out.
type Moment struct {
	ID      string      `json:"id"`   // derived from where its peak is: "hl_{second}"
	Span    media.Span  `json:"span"` // show time
	Peak    media.Ticks `json:"peak"`
	Score   float64     `json:"score"`   // in standard deviations of the show's score
	Reasons []Reason    `json:"reasons"` // the strongest first
	// Of the chapter that it is in, empty for none.
	ChapterID string `json:"chapter_id"`
	ProductID string `json:"product_id"`
	Title     string `json:"title"`
}

// Score finds the moments of a show that stand out, in the order of the show. It is pure: the same signals and chapters
// give the same moments. What stands out more scores higher, as long as it is short against the ten minutes it is compared with.
func Score(s Signals, chapters []edit.Chapter) []Moment {
	c := curvesOf(&s)
	var moments []Moment
	n := s.Seconds()
	taken := make([]bool, n)
	for range min(mostMoments, 3+n/secondsPerMoment) {
		peak := highest(c.total, taken)
		if peak < 0 || c.total[peak] < threshold {
			break
		}
		m := c.moment(peak, chapters)
		block(taken, peak, apart)
		if overlaps(moments, m.Span) {
			continue
		}
		moments = append(moments, m)
		for t := second(m.Span.From); t < min(n, second(m.Span.To)); t++ {
			taken[t] = true
		}
	}
	slices.SortFunc(moments, func(a, b Moment) int { return cmp.Compare(a.Span.From, b.Span.From) })
	return moments
}

// Curve is the score of each second, which peaks at the moments.
func Curve(s Signals) []float64 { return curvesOf(&s).total }

// curves are how unusual each second is.
type curves struct {
	*Signals
	each  map[Signal][]float64
	total []float64
}

func curvesOf(s *Signals) curves {
	n := s.Seconds()
	s = &Signals{
		Duration: s.Duration, Likes: sized(s.Likes, n, 0), Comments: sized(s.Comments, n, 0), Orders: sized(s.Orders, n, 0),
		Viewers: sized(s.Viewers, n, math.NaN()), Loudness: sized(s.Loudness, n, silence),
	}
	c := curves{Signals: s, each: map[Signal][]float64{}, total: make([]float64, n)}
	for name, counts := range map[Signal][]float64{Likes: s.Likes, Comments: s.Comments, Orders: s.Orders} {
		r := response[name]
		c.each[name] = counted(counts, r.width, r.lag, r.unit)
	}
	c.each[Viewers] = grown(s.Viewers, response[Viewers].lag)
	c.each[Loudness] = louder(s.Loudness)
	for _, name := range order {
		for i, z := range c.each[name] {
			c.total[i] += response[name].weight * max(0, z)
		}
	}
	middle, deviation := spread(c.total)
	for i := range c.total {
		c.total[i] = (c.total[i] - middle) / max(1, deviation)
	}
	return c
}

// sized makes a list n long.
func sized(x []float64, n int, fill float64) []float64 {
	out := slices.Clone(x[:min(n, len(x))])
	for len(out) < n {
		out = append(out, fill)
	}
	return out
}

// highest is the second of the highest score that is not taken; of a plateau its middle; -1 for none.
func highest(score []float64, taken []bool) int {
	best := -1
	for i, v := range score {
		if !taken[i] && (best < 0 || v > score[best]) {
			best = i
		}
	}
	if best < 0 {
		return best
	}
	end := best
	for end+1 < len(score) && !taken[end+1] && score[end+1] == score[best] {
		end++
	}
	return (best + end) / 2
}

func block(taken []bool, at, around int) {
	for t := max(0, at-around); t <= min(len(taken)-1, at+around); t++ {
		taken[t] = true
	}
}

func overlaps(moments []Moment, span media.Span) bool {
	return slices.ContainsFunc(moments, func(m Moment) bool { return m.Span.Overlaps(span) })
}

func second(t media.Ticks) int { return int(t / media.TicksPerSecond) }

func at(second int) media.Ticks { return media.Ticks(second) * media.TicksPerSecond }

// moment makes the one whose peak is at a second.
func (c *curves) moment(peak int, chapters []edit.Chapter) Moment {
	n, low := len(c.total), c.total[peak]*shoulder
	from, to := peak, peak+1
	for from > 0 && c.total[from-1] >= low && peak-from < longest/2 {
		from--
	}
	for to < n && c.total[to] >= low && to-peak < longest/2 {
		to++
	}
	from -= before
	if short := shortest - (to - from); short > 0 {
		from, to = from-short/2, to+short-short/2
	}
	span := media.Span{From: max(0, c.snap(at(max(0, from)), chapters)), To: min(c.Duration, c.snap(at(to), chapters))}
	if span.Len() < at(shortest)/2 { // both edges went to one place
		span = media.Span{From: at(max(0, from)), To: min(c.Duration, at(to))}
	}
	m := Moment{ID: idOf(peak), Span: span, Peak: min(at(peak), c.Duration), Score: hundredths(c.total[peak])}
	m.Reasons = c.reasons(span, peak)
	if ch, ok := chapterOf(chapters, span); ok {
		m.ChapterID, m.ProductID, m.Title = ch.ID, ch.Product.ID, ch.Title
	}
	return m
}

// idOf names a moment by its peak, so that it has the same name when the show went on since.
func idOf(peak int) string { return fmt.Sprintf("hl_%d", peak) }

// peakOf is what idOf named.
func peakOf(id string) (peak media.Ticks, ok bool) {
	digits, ok := strings.CutPrefix(id, "hl_")
	n, err := strconv.ParseUint(digits, 10, 31)
	if !ok || err != nil || n >= maxSeconds || idOf(int(n)) != id {
		return 0, false
	}
	return at(int(n)), true
}

// snap moves an edge to where a cut is not noticed: the beginning or end of a chapter, else a pause in what is said.
func (c *curves) snap(t media.Ticks, chapters []edit.Chapter) media.Ticks {
	best, found := t, false
	for _, ch := range chapters {
		for _, edge := range []media.Ticks{ch.Span.From, ch.Span.To} {
			if d := distance(edge, t); !ch.Hidden && d <= at(snapToChapter) && (!found || d < distance(best, t)) {
				best, found = edge, true
			}
		}
	}
	if found {
		return best
	}
	return c.snapToPause(t)
}

func (c *curves) snapToPause(t media.Ticks) media.Ticks {
	i := second(t)
	from, to := max(0, i-60), min(len(c.Loudness), i+60)
	if from >= to {
		return t
	}
	around := slices.Clone(c.Loudness[from:to])
	slices.Sort(around)
	quiet := median(around) - pauseBelow
	for d := range snapToPause + 1 {
		for _, s := range []int{i - d, i + d} {
			if s >= 0 && s < len(c.Loudness) && c.Loudness[s] < quiet {
				return at(s) + media.TicksPerSecond/2
			}
		}
	}
	return t
}

func distance(a, b media.Ticks) media.Ticks { return max(a-b, b-a) }

// chapterOf is the chapter that most of the span lies in.
func chapterOf(chapters []edit.Chapter, span media.Span) (best edit.Chapter, ok bool) {
	var most media.Ticks
	for _, ch := range chapters {
		if part := ch.Span.Intersect(span).Len(); !ch.Hidden && part > most {
			best, most = ch, part
		}
	}
	return best, most > 0
}

// reasons are the signals that stand out in a span.
func (c *curves) reasons(span media.Span, peak int) []Reason {
	reasons := []Reason{}
	for _, name := range order {
		z := 0.0
		for _, v := range c.each[name][max(0, peak-apart/2):min(len(c.total), peak+apart/2+1)] {
			z = max(z, v)
		}
		if z < leastReason {
			continue
		}
		r := Reason{Signal: name, Strength: hundredths(z)}
		lag := response[name].lag
		r.Value, r.Usual = c.compare(name, second(span.From)+lag, second(span.To-1)+1+lag)
		if r.Usual > 0 && name != Loudness {
			r.Ratio = min(99, hundredths(r.Value/r.Usual))
		}
		reasons = append(reasons, r)
	}
	slices.SortStableFunc(reasons, func(a, b Reason) int {
		return cmp.Compare(response[b.Signal].weight*b.Strength, response[a.Signal].weight*a.Strength)
	})
	return reasons
}

// compare tells what a signal was from one second to another, and what it usually is in as much time.
func (c *curves) compare(name Signal, from, to int) (value, usually float64) {
	n := len(c.total)
	from, to = min(max(0, from), n), min(max(0, to), n)
	switch name {
	case Viewers:
		value, usually = rise(c.Viewers, from, to), rise(c.Viewers, 0, n)*float64(to-from)/float64(max(1, n))
	case Loudness:
		value, usually = average(c.Loudness[from:to]), middle(c.Loudness)
	default:
		x := map[Signal][]float64{Likes: c.Likes, Comments: c.Comments, Orders: c.Orders}[name]
		value = sum(x[from:to])
		usually = (sum(x) - value) / float64(max(1, n-(to-from))) * float64(to-from)
	}
	return hundredths(value), hundredths(usually)
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

func average(x []float64) float64 { return sum(x) / float64(max(1, len(x))) }

func middle(x []float64) float64 { m, _ := spread(x); return m }

// rise is by how much an audience grew.
func rise(viewers []float64, from, to int) float64 {
	var known []float64
	for _, v := range viewers[from:to] {
		if !math.IsNaN(v) {
			known = append(known, v)
		}
	}
	if len(known) == 0 {
		return 0
	}
	return known[len(known)-1] - known[0]
}

func hundredths(x float64) float64 { return math.Round(x*100) / 100 }
