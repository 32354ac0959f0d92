package transcode

import (
	"log/slog"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// LadderSink takes what comes of a ladder. Its methods are called by the ladder's goroutines, one at a time, and must
// not call the ladder's Close. rendition is the index in the plan.
type LadderSink interface {
	// Tracks names the H264 parameters of a rendition, before its first sample and whenever they change.
	Tracks(rendition int, t media.Track)
	// Sample takes a picture. Its PTS, which is its DTS too, is that of the source's picture, and it is a key picture
	// where the source's is.
	Sample(rendition int, s media.Sample)
	// Down says that pictures were lost and that none comes until the next key picture.
	Down(reason string)
	// Drained says that nothing comes any more. It is the last call.
	Drained()
}

// LadderState says how a ladder does.
type LadderState string

// The states of a ladder.
const (
	LadderStarting LadderState = "starting" // no picture has come yet, the first time or after a restart
	LadderOn       LadderState = "on"
	LadderDown     LadderState = "down" // until the pause before the next try is over
)

// LadderStatus is how a ladder does.
type LadderStatus struct {
	State    LadderState
	Reason   string        // of the last failure, for the operator; empty when there was none
	Restarts int           // after failures
	Lag      time.Duration // how far the renditions are behind the source just now
	Encoder  string        // what codes the pictures; empty until it is known
	Cost     float64       // processor cores, by estimate
}

// Ladder makes the renditions of one source by one process of ffmpeg. It is safe for concurrent use.
type Ladder struct {
	worker  *worker
	release func()
	cost    float64
	closing sync.Once
}

// StartLadder makes renditions of a source. fps is the source's, 0 when unknown. The pictures that go into Write must be
// of that track: changed parameters need a new ladder.
//
// The error is Invalid when the plan is empty, Exhausted when the budget does not hold the ladder, Unavailable when there
// is no ffmpeg. Anything that goes wrong later is told to the sink, and tried again.
func (t *Transcoder) StartLadder(source media.Track, fps float64, plan []Rendition, sink LadderSink, log *slog.Logger) (*Ladder, error) {
	const op = "transcode.StartLadder"
	if len(plan) == 0 {
		return nil, errs.New(errs.Invalid, op, "a ladder without renditions")
	}
	if err := t.Ready(); err != nil {
		return nil, err
	}
	size, err := SourceOf(source, fps)
	if err != nil {
		return nil, err
	}
	cost := t.budget.cost(size, plan)
	release, err := t.budget.spend(cost, false)
	if err != nil {
		return nil, err
	}
	d := &ladderOutput{sink: sink, outputs: make([]h264Output, len(plan)), metrics: t.metrics}
	j := ladderJob(source, size.FPS, plan)
	j.cost = cost
	return &Ladder{worker: t.startWorker(j, d, log), release: release, cost: cost}, nil
}

// Write takes a picture of the source, in decoding order. It never blocks: what ffmpeg cannot take in time is lost, and
// the sink is told so.
func (l *Ladder) Write(s media.Sample) { l.worker.write(s) }

// Close takes no more pictures, waits a moment for those under way to come out, and ends the process. It returns when
// that is gone and Drained was called.
func (l *Ladder) Close() {
	l.closing.Do(func() {
		l.worker.close(drainLadder)
		l.release()
	})
}

// Status tells how the ladder does.
func (l *Ladder) Status() LadderStatus {
	s := l.worker.status()
	s.Cost = l.cost
	return s
}

// ladderOutput hands what ffmpeg makes to the sink. The worker calls it by one goroutine at a time.
type ladderOutput struct {
	sink    LadderSink
	metrics *Metrics
	outputs []h264Output
}

func (d *ladderOutput) begin(output int, extra []byte) {
	if track := d.outputs[output].begin(extra); track != nil {
		d.sink.Tracks(output, *track)
	}
}

func (d *ladderOutput) frame(output int, s media.Sample) {
	sample, track, ok := d.outputs[output].unit(s)
	if !ok {
		return
	}
	if track != nil {
		d.sink.Tracks(output, *track)
	}
	d.sink.Sample(output, sample)
}

func (d *ladderOutput) down(reason string) { d.sink.Down(reason) }
func (d *ladderOutput) drained()           { d.sink.Drained() }
