package transcode

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// Load is a number of ladders that run in real time, to see whether a machine carries them.
type Load struct {
	Ladders  int
	Source   Source
	Presets  []string
	Duration time.Duration
}

// LoadReport is what came of a Load.
type LoadReport struct {
	Plan     []Rendition
	Cost     float64         // of one ladder in processor cores, by estimate
	CPU      time.Duration   // processor time that all the ladders took
	Sent     int             // pictures, to all ladders together
	Made     int             // pictures, of all renditions of all ladders
	Delays   []time.Duration // from a picture's going in to its coming out of a rendition, in rising order
	First    time.Duration   // until the first picture of the slowest ladder came out
	Failures []string        // what the ladders said when they were down
}

// Run runs a load whatever the budget says: it is there to find the limit. Measuring is a matter of the clock; the
// machine should have nothing else to do.
func (t *Transcoder) Run(ctx context.Context, l Load) (LoadReport, error) {
	const op = "transcode.Run"
	var report LoadReport
	plan, err := Plan(l.Presets, l.Source, nil)
	if err != nil {
		return report, err
	}
	if len(plan) == 0 || l.Ladders < 1 || l.Source.FPS < 1 {
		return report, errs.New(errs.Invalid, op, "%d ladders of %dx%d at %g/s have no renditions", l.Ladders, l.Source.Width, l.Source.Height, l.Source.FPS)
	}
	program, err := t.program()
	if err != nil {
		return report, err
	}
	encoder, err := t.findEncoder(ctx)
	if err != nil {
		return report, err
	}
	film, _, err := makeFilm(ctx, program, encoder, l.Source, 6*time.Second)
	if err != nil {
		return report, err
	}
	report.Plan = plan
	report.Cost = t.budget.cost(l.Source, report.Plan)
	before := childrenCPU()
	clocks := make([]loadClock, l.Ladders)
	var wg sync.WaitGroup
	for i := range clocks {
		clocks[i].sent = map[media.Ticks]time.Time{}
		d := &ladderOutput{sink: &clocks[i], outputs: make([]h264Output, len(report.Plan)), metrics: t.metrics}
		w := t.startWorker(ladderJob(film.track, l.Source.FPS, report.Plan), d, t.log)
		phase := time.Duration(i) * 2 * time.Second / time.Duration(l.Ladders) // key pictures are spread
		wg.Go(func() {
			clocks[i].play(ctx, w, film, l, phase)
			w.close(drainLadder)
		})
	}
	wg.Wait()
	report.CPU = childrenCPU() - before
	for i := range clocks {
		report.add(&clocks[i])
	}
	slices.Sort(report.Delays)
	return report, ctx.Err()
}

// childrenCPU is the processor time of the processes of this one that have ended.
func childrenCPU() time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func (r *LoadReport) add(c *loadClock) {
	r.Sent += c.pictures
	r.Made += c.made
	r.First = max(r.First, c.first)
	r.Delays = append(r.Delays, c.delays...)
	r.Failures = append(r.Failures, c.failures...)
}

// loadClock is a LadderSink that notes how long pictures take.
type loadClock struct {
	mu       sync.Mutex
	sent     map[media.Ticks]time.Time
	pictures int
	made     int
	first    time.Duration
	delays   []time.Duration
	failures []string
}

// play sends a film again and again at the pace of its clock.
func (c *loadClock) play(ctx context.Context, w *worker, film testFilm, l Load, phase time.Duration) {
	step := media.Ticks(float64(media.TicksPerSecond) / l.Source.FPS)
	tick := time.NewTimer(phase)
	defer tick.Stop()
	begin := time.Now().Add(phase)
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		at := step * media.Ticks(i)
		if at.Duration() >= l.Duration {
			return
		}
		s := film.samples[i%len(film.samples)]
		s.PTS, s.DTS = at, at
		c.note(at)
		w.write(s)
		tick.Reset(time.Until(begin.Add((at + step).Duration())))
	}
}

// settle is how long the start of the processes, all at once, is left out of the delays.
const settle = 3 * media.TicksPerSecond

func (c *loadClock) note(at media.Ticks) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent[at] = time.Now()
	c.pictures++
}

// Tracks implements LadderSink.
func (c *loadClock) Tracks(int, media.Track) {}

// Sample implements LadderSink.
func (c *loadClock) Sample(_ int, s media.Sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made++; c.made == 1 {
		c.first = time.Since(c.sent[s.PTS])
	}
	if s.PTS >= settle {
		c.delays = append(c.delays, time.Since(c.sent[s.PTS]))
	}
}

// Down implements LadderSink.
func (c *loadClock) Down(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = append(c.failures, reason)
}

// Drained implements LadderSink.
func (c *loadClock) Drained() {}
