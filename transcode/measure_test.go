package transcode

import (
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
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
