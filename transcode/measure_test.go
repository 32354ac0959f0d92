package transcode

import (
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

func TestEncodersAreTried(t *testing.T) {
	tr := newTranscoder(t, Config{Encoder: "auto"})
	if err := tr.TryEncoder(t.Context(), x264); err != nil {
		t.Fatal(err)
	}
	err := tr.TryEncoder(t.Context(), "libx265") // works, but makes no H264
	if errs.KindOf(err) != errs.Unavailable {
		t.Errorf("another codec: %v", err)
	}
	if err := tr.TryEncoder(t.Context(), "no_such_encoder"); !strings.Contains(err.Error(), "no_such_encoder") {
		t.Errorf("no encoder: %v", err)
	}
	first, err := tr.findEncoder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := tr.findEncoder(t.Context()); again != first {
		t.Errorf("%s, then %s", first, again)
	}
}

func TestMeasure(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	tr := newTranscoder(t, Config{MaxCost: 100})
	s, err := tr.Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Decode <= 0 || s.Encode <= 0 {
		t.Errorf("speed %+v", s)
	}
	n, each := tr.Ladders()
	t.Logf("%+v: %d ladders of %.2f cores", s, n, each)
	if n != int(100/each) || n < 1 {
		t.Errorf("%d ladders at %v", n, each)
	}
	if _, err := newTranscoder(t, Config{FFmpeg: "/none"}).Measure(t.Context()); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("without ffmpeg: %v", err)
	}
}

func TestLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	tr := newTranscoder(t, Config{})
	l := Load{Ladders: 2, Source: Source{Codec: UsualSource.Codec, Width: 640, Height: 480, FPS: 10}, Presets: presetNames(), Duration: time.Second}
	r, err := tr.Run(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if r.Sent != 20 || r.Made != 20 || len(r.Plan) != 1 || len(r.Failures) != 0 || r.Cost <= 0 {
		t.Errorf("%+v", r)
	}
	l.Source.Height = 180
	if _, err := tr.Run(t.Context(), l); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a ladder of nothing: %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for field, c := range map[string]Config{"encoder": {Encoder: "x264"}, "max_cost": {MaxCost: -1}, "": {Encoder: vaapi, MaxCost: 3}} {
		if err := c.Validate(); errs.FieldOf(err) != field || (err == nil) != (field == "") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// What ladders took corrects what is reckoned of the next.
func TestBudgetLearns(t *testing.T) {
	plan := smallPlan
	for name, c := range map[string]struct {
		took time.Duration // for a minute that was estimated to take 12 s
		want float64
	}{
		"as estimated": {12 * time.Second, 1},
		"dearer":       {24 * time.Second, 1.3},
		"cheaper":      {6 * time.Second, 0.85},
		"absurd":       {time.Hour, 1.6},
	} {
		tr := newTranscoder(t, Config{})
		before := tr.budget.cost(UsualSource, plan)
		tr.budget.learn(0.2, c.took, 60*media.TicksPerSecond)
		if got := tr.budget.cost(UsualSource, plan) / before; got < c.want-0.001 || got > c.want+0.001 {
			t.Errorf("%s: the estimate grew by %.3f, want %.3f", name, got, c.want)
		}
		tr.budget.learn(0.2, time.Hour, media.TicksPerSecond)
		if got := tr.budget.cost(UsualSource, plan) / before; got > c.want+0.001 {
			t.Errorf("%s: a second of a ladder was believed", name)
		}
	}
}
