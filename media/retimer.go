package media

// Bounds of what a publisher's clock may do before it counts as moved.
const (
	jumpBack    = 1 * TicksPerSecond
	jumpForward = 3 * TicksPerSecond
	// rejoinWithin is how well an older or the other track's correction must continue a track that jumped, to be used
	// again: the sound of a publisher whose clock moved jumps by about as much as its picture did, seldom exactly.
	rejoinWithin = TicksPerSecond / 2
	// startApart is how far from the other track a track may begin. Beyond it the two have different origins.
	startApart = 10 * TicksPerSecond
	// compositionLimit bounds PTS - DTS both ways.
	compositionLimit = 10 * TicksPerSecond
	// usualStep continues a track that jumps before it has shown its own step.
	usualStep = 20 * TicksPerMillisecond
	// stepLimit is the longest step between samples that is taken for the track's own.
	stepLimit = TicksPerSecond
)

// Anomaly names what was wrong with a publisher's timestamp, as metrics do. It is empty for a sound one.
type Anomaly string

// The anomalies, in falling order of weight: of several in one sample the weightiest is reported.
const (
	AnomalyJumpBack     Anomaly = "jump_back"        // DTS fell by more than 1 s
	AnomalyJumpForward  Anomaly = "jump_forward"     // DTS rose by more than 3 s, away from the other track
	AnomalyTrackOffset  Anomaly = "track_offset"     // a track began more than 10 s from the other
	AnomalyDTSNotRising Anomaly = "dts_not_rising"   // DTS equal to or a little before that of the sample before it
	AnomalyCTSRange     Anomaly = "cts_out_of_range" // a composition offset beyond 10 s
	AnomalyUnwrap       Anomaly = "unwrap"           // the 32-bit millisecond counter wrapped (after 49.7 days)
)

// Anomalies lists every anomaly.
var Anomalies = []Anomaly{AnomalyJumpBack, AnomalyJumpForward, AnomalyTrackOffset, AnomalyDTSNotRising, AnomalyCTSRange, AnomalyUnwrap}

// Timing is when a sample decodes and presents in publisher time.
type Timing struct {
	DTS, PTS Ticks
	Rebased  bool // see Sample.Rebased
	Anomaly  Anomaly
}

// Retimer turns the 32-bit millisecond timestamps of one publisher into publisher time that a show can be built on: DTS
// strictly rising per track, no leaps, picture and sound in step. It refuses nothing, because no timestamp may stop a
// show; what it had to mend it names.
//
// A sound stream passes unchanged: publisher time is the publisher's own, times 90. When a track leaps (back by more
// than 1 s, or forward by more than 3 s while the other track does not stand there too) its clock is moved so that it
// goes on one step after its last sample. The other track then usually leaps by about as much and takes the very same
// correction, so that sound and picture stay in step.
//
// The zero value is not ready, use NewRetimer. A Retimer is not safe for concurrent use.
type Retimer struct {
	video, audio retimedTrack
	newest       *retimedTrack
}

// retimedTrack is the clock of one track: publisher time = raw + shift.
type retimedTrack struct {
	started  bool
	counter  uint32 // the newest timestamp as received
	raw      Ticks  // the same, unwrapped
	shift    Ticks
	previous Ticks // the shift before the last leap
	step     Ticks // the newest plausible distance between two samples
	out      Ticks // the newest DTS handed out
}

// NewRetimer returns the retimer of a new publish.
func NewRetimer() *Retimer {
	return &Retimer{video: retimedTrack{step: usualStep}, audio: retimedTrack{step: usualStep}}
}

// Next times one sample. dtsMillis is its decoding time as received, on a counter that wraps at 32 bits; ctsMillis is
// PTS - DTS. Samples of a track come in decoding order.
func (r *Retimer) Next(kind Kind, dtsMillis uint32, ctsMillis int32) Timing {
	t, other := r.tracks(kind)
	var timing Timing
	raw, wrapped := unwrap(t, other, dtsMillis)
	if wrapped {
		timing.Anomaly = AnomalyUnwrap
	}
	timing = r.place(t, other, raw, FromMilliseconds(int64(ctsMillis)), timing)
	t.counter = dtsMillis
	return timing
}

// place times one sample at raw, the track's unwrapped clock, and adds what is wrong with it to timing.
func (r *Retimer) place(t, other *retimedTrack, raw, cts Ticks, timing Timing) Timing {
	if cts > compositionLimit || cts < -compositionLimit {
		cts = min(max(cts, -compositionLimit), compositionLimit)
		timing.Anomaly = AnomalyCTSRange
	}
	leap := t.place(raw, other)
	timing.DTS = raw + t.shift
	if t.started && timing.DTS <= t.out {
		timing.DTS = t.out + 1
		timing.Anomaly = AnomalyDTSNotRising
	}
	if leap != "" {
		timing.Anomaly, timing.Rebased = leap, true
	}
	timing.PTS = timing.DTS + cts
	t.started, t.raw, t.out = true, raw, timing.DTS
	r.newest = t
	return timing
}

// At maps the timestamp of something that is no sample, such as a data message, to publisher time. It changes nothing.
// A timestamp that is nowhere near the newest sample (encoders like to send 0) stands for the newest sample.
func (r *Retimer) At(millis uint32) Ticks {
	t := r.newest
	if t == nil {
		return FromMilliseconds(int64(millis))
	}
	diff := FromMilliseconds(int64(int32(millis - t.counter)))
	if diff < -startApart || diff > jumpForward {
		return t.out
	}
	return t.raw + diff + t.shift
}

// tracks returns the track of a kind and the other one.
func (r *Retimer) tracks(kind Kind) (t, other *retimedTrack) {
	if kind == Video {
		return &r.video, &r.audio
	}
	return &r.audio, &r.video
}

// unwrap extends a 32-bit timestamp by the newest one of the track, or of the other track when this one is new: of all
// values with these 32 bits the nearest is meant.
func unwrap(t, other *retimedTrack, millis uint32) (raw Ticks, wrapped bool) {
	near := t
	if !t.started {
		near = other
	}
	if !near.started {
		return FromMilliseconds(int64(millis)), false
	}
	diff := int32(millis - near.counter)
	return near.raw + FromMilliseconds(int64(diff)), diff > 0 && millis < near.counter
}

// place decides the track's shift for a sample at raw and names the leap, if it is one.
func (t *retimedTrack) place(raw Ticks, other *retimedTrack) Anomaly {
	if !t.started {
		return t.begin(raw, other)
	}
	delta := raw - t.raw
	switch {
	case delta < -jumpBack:
		t.leap(raw, other)
		return AnomalyJumpBack
	case delta > jumpForward && !other.near(raw+t.shift, jumpBack, jumpForward):
		t.leap(raw, other)
		return AnomalyJumpForward
	}
	if delta > 0 && delta <= stepLimit {
		t.step = delta
	}
	return ""
}

// begin lets the track share the other's clock, or puts it beside the other when the two have different origins.
func (t *retimedTrack) begin(raw Ticks, other *retimedTrack) Anomaly {
	if !other.started {
		return ""
	}
	t.shift, t.previous = other.shift, other.shift
	if other.near(raw+t.shift, startApart, startApart) {
		return ""
	}
	t.shift = other.out - raw
	return AnomalyTrackOffset
}

// leap moves the track's clock so that a sample at raw follows the last one. A correction that is in use already, by the
// other track or by this one before it leapt, is preferred: it restores the publisher's own relation of the tracks.
func (t *retimedTrack) leap(raw Ticks, other *retimedTrack) {
	want := t.out + t.step - raw
	before := t.shift
	switch {
	case other.started && within(other.shift-want, rejoinWithin):
		t.shift = other.shift
	case within(t.previous-want, rejoinWithin):
		t.shift = t.previous
	default:
		t.shift = want
	}
	t.previous = before
}

// near reports whether at, in publisher time, is at most before earlier and after later than the track's newest sample.
func (t *retimedTrack) near(at, before, after Ticks) bool {
	d := at - t.out
	return t.started && d >= -before && d <= after
}

func within(d, limit Ticks) bool { return d >= -limit && d <= limit }
