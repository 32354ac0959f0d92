package mirror_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/mirror"
	"github.com/vitrine-live/vitrine/store/blob"
)

// Whatever the bucket does, the show and its recording go on; the log tells of a change once and what to do; and when
// the bucket works again it gets all of it.
func TestBucketFailsDuringAShow(t *testing.T) {
	for _, tc := range []struct {
		name, code string
		status     int
		kind       errs.Kind
		says       string
	}{
		{"outage", "", -1, errs.Unavailable, "does not answer"},
		{"failing", "InternalError", http.StatusInternalServerError, errs.Unavailable, "fails for now"},
		{"throttling", "SlowDown", http.StatusServiceUnavailable, errs.Exhausted, "fewer requests"},
		{"wrong access key", "InvalidAccessKeyId", http.StatusForbidden, errs.Unavailable, "check access_key"},
		{"wrong secret key", "SignatureDoesNotMatch", http.StatusForbidden, errs.Unavailable, "check secret_key"},
		{"no rights", "AccessDenied", http.StatusForbidden, errs.Unavailable, "rights"},
		{"no bucket", "NoSuchBucket", http.StatusNotFound, errs.Unavailable, "does not exist"},
		{"clock", "RequestTimeTooSkewed", http.StatusForbidden, errs.Unavailable, "NTP"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			st := newStorage(t)
			h := newHouse(t, st, mirror.Config{})
			s := h.onAir("")
			s.run(2)
			s.settle(t)
			h.sync()
			st.failWith(tc.status, tc.code)
			for failed := 0; failed < 3; {
				s.run(1) // what is durable, and so can be uploaded, shows with a later segment
				s.settle(t)
				if err := h.mirror.Sync(t.Context()); err != nil {
					failed++
					if errs.KindOf(err) != tc.kind {
						t.Fatalf("%v", err)
					}
				}
			}
			if n := h.log.count("recordings are not copied"); n != 1 || h.log.count(tc.says) == 0 {
				t.Errorf("told %d times:\n%s", n, h.log.buf.String())
			}
			if h.log.count("secret=") > 0 || s.recorder.Status().Gaps > 0 || s.recorder.Status().WriteErrors > 0 {
				t.Errorf("%+v", s.recorder.Status())
			}
			s.end(t)
			if status, _ := h.get(s.id, "2.m4s"); status != http.StatusOK {
				t.Errorf("the replay answers %d", status)
			}
			st.failWith(0, "")
			h.sync()
			if h.log.count("copied to the bucket again") != 1 {
				t.Error("that it works again was not told")
			}
			if diff := cmp.Diff(h.files(s.id), h.stored(s.id)); diff != "" {
				t.Errorf("(-here +bucket):\n%s", diff)
			}
		})
	}
}

// An upload that breaks off in the middle leaves nothing behind that counts, and nothing that is there is sent again.
func TestResumesWhatBrokeOff(t *testing.T) {
	st := newStorage(t)
	h := newHouse(t, st, mirror.Config{Parallel: 1})
	show := h.ended(100)
	for st.count("PUT shop/recordings/"+show+"/99.m4s") == 0 {
		var puts atomic.Int32
		st.failIf(func(r *http.Request) (int, string) {
			if r.Method == http.MethodPut && puts.Add(1) > 17 {
				return -1, ""
			}
			return 0, ""
		})
		if err := h.mirror.Sync(t.Context()); err == nil {
			break
		}
		h = openHouse(t, st, h.dir, mirror.Config{Parallel: 1}) // as after a kill: nothing but files is remembered
	}
	st.failWith(0, "")
	h.sync()
	if diff := cmp.Diff(h.files(show), h.stored(show)); diff != "" {
		t.Fatalf("(-here +bucket):\n%s", diff)
	}
	twice := 0
	for name := range h.files(show) {
		if n := st.count("PUT shop/recordings/" + show + "/" + name); n > 2 { // the one that broke, and the one that did not
			twice++
			t.Errorf("%s was sent %d times", name, n)
		}
	}
	if twice > 0 {
		t.Errorf("%d files were sent needlessly", twice)
	}
}

// A recording that goes on on another machine goes on in the bucket.
func TestGoesOnElsewhere(t *testing.T) {
	st := newStorage(t)
	h := newHouse(t, st, mirror.Config{})
	s := h.onAir("")
	s.run(6)
	s.settle(t)
	if err := s.recorder.Close(); err != nil { // interrupted, not over
		t.Fatal(err)
	}
	h.sync()
	other := newHouse(t, st, mirror.Config{})
	other.sync()
	onward := other.onAir(s.id)
	if onward.msn != 6 || onward.init != 2 {
		t.Fatalf("goes on with segment %d and init %d", onward.msn, onward.init)
	}
	onward.run(4)
	onward.end(t)
	st.forget()
	other.sync()
	stored := other.stored(s.id)
	for name, b := range h.files(s.id) {
		if name != replay.IndexName && !cmp.Equal(stored[name], b) {
			t.Errorf("%s differs from what was recorded first", name)
		}
	}
	if n := st.count("PUT shop/recordings/" + s.id + "/3.m4s"); n != 0 {
		t.Error("what the first one stored was stored again")
	}
	third := newHouse(t, st, mirror.Config{})
	third.sync()
	for msn := range 10 {
		name := replay.IndexName
		if msn < 10 {
			name = string(rune('0'+msn)) + ".m4s"
		}
		if status, b := third.get(s.id, name); status != http.StatusOK || !cmp.Equal(stored[name], b) {
			t.Errorf("%s: %d", name, status)
		}
	}
}

// Two recordings of one name are told apart, and neither is harmed.
func TestAnotherRecordingInTheBucket(t *testing.T) {
	st := newStorage(t)
	h, other := newHouse(t, st, mirror.Config{}), newHouse(t, st, mirror.Config{})
	s := h.onAir("")
	s.run(3)
	s.end(t)
	begun = begun.Add(time.Hour)
	twin := other.onAir(s.id)
	twin.run(3)
	twin.end(t)
	begun = begun.Add(-time.Hour)
	h.sync()
	want := h.stored(s.id)
	other.sync()
	if diff := cmp.Diff(want, other.stored(s.id)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if other.log.count("another recording") != 1 {
		t.Error("nobody was told")
	}
}

// Run works by itself, and ends when it is told to, whatever the bucket does.
func TestRun(t *testing.T) {
	st := newStorage(t)
	h := newHouse(t, st, mirror.Config{Interval: time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { h.mirror.Run(ctx, h.archive) })
	show := h.ended(3)
	for len(names(t, h.bucket, "recordings/"+show+"/")) < 5 {
		time.Sleep(time.Millisecond)
	}
	if err := h.archive.Delete(show); err != nil {
		t.Fatal(err)
	}
	for len(names(t, h.bucket, "recordings/"+show+"/")) > 0 {
		time.Sleep(time.Millisecond)
	}
	st.failIf(func(r *http.Request) (int, string) { // the bucket hangs
		<-r.Context().Done()
		return -1, ""
	})
	h.ended(3)
	cancel()
	running.Wait()
	st.failWith(0, "")
}

// What is paced takes its time, and no more than that.
func TestBandwidth(t *testing.T) {
	st := newStorage(t)
	b, err := blob.NewS3(blob.S3Config{
		Endpoint: st.url, Bucket: testBucket, Region: "us-east-1", AccessKey: "key", SecretKey: "secret", PathStyle: true, Bandwidth: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := b.Upload(t.Context(), "large", strings.NewReader(strings.Repeat("x", 512<<10)), 512<<10, 1); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 200*time.Millisecond { // half a second, less what may come at once
		t.Errorf("512 KiB took %v at 1 MiB a second", took)
	}
	if err := b.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	if left := names(t, b, ""); len(left) != 1 {
		t.Errorf("the probe left %v", left)
	}
}
