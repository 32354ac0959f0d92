package transcode

import (
	"runtime"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// Speed is what transcoding costs on a machine, in processor seconds per million pixels.
type Speed struct {
	Decode float64 // of the source
	Encode float64 // of a rendition, scaling included
}

// usualSpeed is that of one core of a small server of 2020 with libx264, until the machine was measured or has shown
// what its ladders take.
var usualSpeed = Speed{Decode: 0.0035, Encode: 0.015}

// Cost estimates how many processor cores a ladder takes.
func (s Speed) Cost(source Source, plan []Rendition) float64 {
	const million = 1e6
	fps := fpsOr(source.FPS)
	cost := float64(source.Width*source.Height) * s.Decode
	for _, r := range plan {
		cost += float64(r.Width*r.Height) * s.Encode
	}
	return cost * fps / million
}

// soundCost is what the conversion of one publisher's sound takes, in cores.
const soundCost = 0.03

// defaultBudget leaves a quarter of the machine to what transcoding is done for.
func defaultBudget() float64 { return 0.75 * float64(runtime.GOMAXPROCS(0)) }

// budget is how much of the machine may be, and is, promised.
type budget struct {
	metrics *Metrics
	limit   float64

	mu    sync.Mutex
	speed Speed
	spent float64
}

func (b *budget) init(limit float64, m *Metrics) {
	b.limit, b.metrics, b.speed = limit, m, usualSpeed
	m.budget.Set(limit)
}

// spend takes cost from the budget, and gives it back when the returned function is called, once. Unless it must, it
// refuses what the budget does not hold: the error is Exhausted.
func (b *budget) spend(cost float64, must bool) (release func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !must && b.spent+cost > b.limit {
		b.metrics.refused.Inc()
		return nil, errs.New(errs.Exhausted, "transcode.spend",
			"these renditions would take about %.2f processor cores, and %.2f of the %.2f that may be used are in use: the source goes on alone; end another show's ladder, ask for fewer renditions, or raise transcode.max_cost on a larger machine",
			cost, b.spent, b.limit)
	}
	b.addLocked(cost)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.addLocked(-cost)
	}, nil
}

func (b *budget) addLocked(cost float64) {
	b.spent = max(0, b.spent+cost)
	b.metrics.cost.Set(b.spent)
}

func (b *budget) cost(source Source, plan []Rendition) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.speed.Cost(source, plan)
}

const (
	// learnAfter is how long a ladder must have run to tell what ladders cost; starting is dear.
	learnAfter = 20 * media.TicksPerSecond
	// learnBy is how much of what one ladder tells is believed, and learnAtMost by which factor it may differ: one that
	// was starved, or showed a still picture, is not the rule.
	learnBy     = 0.3
	learnAtMost = 3
)

// learn corrects the estimates by what a process took that was estimated to take cost, for so much media.
func (b *budget) learn(cost float64, cpu time.Duration, length media.Ticks) {
	if length < learnAfter || cost <= 0 {
		return
	}
	ratio := cpu.Seconds() / (cost * length.Seconds())
	by := 1 + learnBy*(min(max(ratio, 1.0/learnAtMost), learnAtMost)-1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.speed.Decode *= by
	b.speed.Encode *= by
}

// Budget is the processor cores that transcoding may take and is estimated to take at present.
type Budget struct{ Limit, Spent float64 }

// Budget tells how much of the budget is spent.
func (t *Transcoder) Budget() Budget {
	t.budget.mu.Lock()
	defer t.budget.mu.Unlock()
	return Budget{Limit: t.budget.limit, Spent: t.budget.spent}
}
