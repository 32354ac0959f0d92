package mirror_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/mirror"
	"github.com/vitrine-live/vitrine/store/blob"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(childEnv); what != "" {
		if err := uploadUntilKilled(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

var begun = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// house is a server's disk with its archive and the mirror of it.
type house struct {
	t       *testing.T
	dir     string
	bucket  *blob.S3
	mirror  *mirror.Mirror
	archive *replay.Archive
	log     *lines
}

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

func newHouse(t *testing.T, st *storage, cfg mirror.Config) *house {
	t.Helper()
	return openHouse(t, st, t.TempDir(), cfg)
}

func openHouse(t *testing.T, st *storage, dir string, cfg mirror.Config) *house {
	t.Helper()
	h := &house{t: t, dir: dir, bucket: st.client(t), log: &lines{}}
	recordings := filepath.Join(dir, "recordings")
	log := slog.New(slog.NewTextHandler(h.log, nil))
	var err error
	if h.mirror, err = mirror.New(h.bucket, recordings, filepath.Join(dir, "mirror"), cfg, log, nil); err != nil {
		t.Fatal(err)
	}
	h.archive, err = replay.Open(recordings, replay.Config{FFmpeg: "none", SyncInterval: 10 * time.Millisecond, Copies: h.mirror}, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.archive.Close() })
	h.mirror.Attach(h.archive)
	return h
}

func (h *house) sync() {
	h.t.Helper()
	if err := h.mirror.Sync(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) path(show, name string) string { return filepath.Join(h.dir, "recordings", show, name) }

// files are the contents of a show's folder.
func (h *house) files(show string) map[string][]byte {
	h.t.Helper()
	found := map[string][]byte{}
	entries, err := os.ReadDir(h.path(show, ""))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		if found[e.Name()], err = os.ReadFile(h.path(show, e.Name())); err != nil {
			h.t.Fatal(err)
		}
	}
	return found
}

// stored are the contents of a show's folder in the bucket.
func (h *house) stored(show string) map[string][]byte {
	h.t.Helper()
	found := map[string][]byte{}
	for name := range names(h.t, h.bucket, "recordings/"+show+"/") {
		body, _, _, _, err := h.bucket.Download(h.t.Context(), "recordings/"+show+"/"+name)
		if err != nil {
			h.t.Fatal(err)
		}
		if found[name], err = io.ReadAll(body); err != nil {
			h.t.Fatal(err)
		}
		_ = body.Close()
	}
	return found
}

// get asks for a file of a replay as a player does.
func (h *house) get(show, name string) (status int, body []byte) {
	w := httptest.NewRecorder()
	h.archive.Serve(w, httptest.NewRequest(http.MethodGet, "/replay/"+show+"/"+name, nil), show, name)
	return w.Code, w.Body.Bytes()
}

// made is a made-up show that is on air.
type made struct {
	id       string
	recorder *replay.Recorder
	msn      int64
	at       media.Ticks
	init     int
}

const (
	partTicks = 45_000
	parts     = 4
)

func (h *house) onAir(id string) *made {
	h.t.Helper()
	if id == "" {
		id = ids.New("show")
	}
	s, err := onAir(h.archive, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func onAir(a *replay.Archive, id string) (*made, error) {
	r, resume, err := a.Record(id)
	if err != nil {
		return nil, err
	}
	s := &made{id: id, recorder: r, msn: resume.NextMSN, at: resume.ShowTime, init: resume.NextInit}
	wall := begun.Add(s.at.Duration())
	r.OnEpoch(media.Epoch{ShowTime: s.at, Wall: wall})
	r.OnInit(playlist.Init{Number: s.init, Codecs: "avc1.64001f,mp4a.40.2", Width: 640, Height: 360}, fmt.Appendf(nil, "init %d of %s", s.init, id))
	return s, nil
}

// run records n segments.
func (s *made) run(n int) {
	for range n {
		seg := playlist.Segment{MSN: s.msn, Start: s.at, Wall: begun.Add(s.at.Duration()), Init: s.init, Independent: true}
		for i := range parts {
			data := make([]byte, 400+rand.IntN(100))
			for j := range data {
				data[j] = byte(rand.Uint32())
			}
			p := playlist.Part{Index: i, Duration: partTicks, Independent: i == 0, Last: i == parts-1, Offset: seg.Size, Size: int64(len(data))}
			seg.Parts = append(seg.Parts, p)
			seg.Size += p.Size
			seg.Duration += p.Duration
			s.recorder.OnPart(seg, p, data)
		}
		seg.TargetDuration, seg.PartTarget = 2, partTicks
		s.msn, s.at = s.msn+1, seg.End()
		s.recorder.OnSegment(seg)
	}
}

// settle waits until what was recorded is known to be on the disk.
func (s *made) settle(t *testing.T) {
	t.Helper()
	for s.recorder.Status().LagBytes > 0 || len(s.recorder.Recording().Segments()) < int(s.msn) {
		if t.Context().Err() != nil {
			t.Fatal("nothing was recorded")
		}
		time.Sleep(time.Millisecond)
	}
}

func (s *made) end(t *testing.T) {
	t.Helper()
	s.recorder.End()
	if err := s.recorder.Close(); err != nil {
		t.Fatal(err)
	}
}

// ended records a show of n segments.
func (h *house) ended(n int) string {
	h.t.Helper()
	s := h.onAir("")
	s.run(n)
	s.end(h.t)
	return s.id
}

func TestUploadsAWholeShowOnce(t *testing.T) {
	st := newStorage(t)
	h := newHouse(t, st, mirror.Config{})
	show := h.ended(10)
	if err := os.WriteFile(h.path(show, "poster.jpg"), []byte("a picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.path(show, "half.tmp"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.sync()
	want := h.files(show)
	delete(want, "half.tmp")
	if diff := cmp.Diff(want, h.stored(show)); diff != "" {
		t.Fatalf("(-here +bucket):\n%s", diff)
	}
	st.forget()
	h.sync()
	again := openHouse(t, st, h.dir, mirror.Config{})
	again.sync()
	if n := st.count(http.MethodPut); n != 0 {
		t.Errorf("%d uploads of what was there", n)
	}
	// Without what it remembers it compares.
	if err := os.RemoveAll(filepath.Join(h.dir, "mirror")); err != nil {
		t.Fatal(err)
	}
	openHouse(t, st, h.dir, mirror.Config{}).sync()
	if n := st.count(http.MethodPut); n != 0 {
		t.Errorf("%d uploads of what was there, compared anew", n)
	}
	if size, _, known, err := h.bucket.Stat(t.Context(), "recordings/"+show+"/3.m4s"); err != nil || !known || size != int64(len(want["3.m4s"])) {
		t.Errorf("%d %v %v", size, known, err)
	}
}

func TestFollowsAShowOnAir(t *testing.T) {
	st := newStorage(t)
	h := newHouse(t, st, mirror.Config{})
	s := h.onAir("")
	for len(names(t, h.bucket, "recordings/"+s.id+"/")) < 12 { // lines tell what is durable only after the next sync
		s.run(1)
		s.settle(t)
		h.sync()
	}
	stored := h.stored(s.id)
	if _, whole := stored[replay.IndexName]; whole {
		t.Error("the index is whole while the show is on air")
	}
	media := slices.DeleteFunc(slices.Collect(maps.Keys(stored)), func(name string) bool { return !replay.IsMedia(name) })
	// Who has nothing but the bucket plays it as far as it goes.
	other := newHouse(t, st, mirror.Config{})
	other.sync()
	if got, err := other.archive.Shows(); err != nil || !slices.Equal(got, []string{s.id}) {
		t.Fatalf("%v %v", got, err)
	}
	rec, err := other.archive.Recording(s.id)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(rec.Segments()); n < len(media)-1 || n > len(media) || rec.Ended() {
		t.Errorf("the index names %d segments, %d are there", n, len(media))
	}
	s.end(t)
	h.sync()
	if diff := cmp.Diff(h.files(s.id), h.stored(s.id)); diff != "" {
		t.Fatalf("(-here +bucket):\n%s", diff)
	}
}

func TestPlaysFromTheBucketAlone(t *testing.T) {
	st := newStorage(t)
	h := newHouse(t, st, mirror.Config{})
	show := h.ended(12)
	h.sync()
	want := h.files(show)

	other := newHouse(t, st, mirror.Config{})
	if other.archive.Has(show) {
		t.Error("known before anybody asked")
	}
	other.sync()
	if !other.archive.Has(show) {
		t.Fatal("the show is not listed")
	}
	status, list := other.get(show, "main.m3u8")
	_, original := h.get(show, "main.m3u8")
	if status != http.StatusOK || !bytes.Equal(list, original) {
		t.Fatalf("%d\n%s\nwant\n%s", status, list, original)
	}
	st.forget()
	for _, name := range []string{"init-1.mp4", "0.m4s", "7.m4s", "11.m4s"} {
		if status, b := other.get(show, name); status != http.StatusOK || !bytes.Equal(b, want[name]) {
			t.Errorf("%s: %d", name, status)
		}
	}
	var many sync.WaitGroup
	for range 20 {
		many.Go(func() {
			if status, b := other.get(show, "5.m4s"); status != http.StatusOK || !bytes.Equal(b, want["5.m4s"]) {
				t.Errorf("%d", status)
			}
		})
	}
	many.Wait()
	if n := st.count(http.MethodGet + " shop/recordings/" + show + "/5.m4s"); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	if status, _ := other.get(show, "99.m4s"); status != http.StatusNotFound {
		t.Errorf("%d for a segment that never was", status)
	}
	other.sync()
	if n := st.count(http.MethodPut); n != 0 {
		t.Errorf("%d uploads of what was fetched", n)
	}
	// An outage is told as one, and nothing is made of it.
	st.failWith(http.StatusServiceUnavailable, "ServiceUnavailable")
	if status, body := other.get(show, "8.m4s"); status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", status, body)
	}
	st.failWith(0, "")
	if status, _ := other.get(show, "8.m4s"); status != http.StatusOK {
		t.Errorf("%d after the outage", status)
	}
}

func TestTrimsAndFetchesBack(t *testing.T) {
	st := newStorage(t)
	h := newHouse(t, st, mirror.Config{MaxLocal: 1})
	show := h.ended(5)
	live := h.onAir("")
	live.run(3)
	live.settle(t)
	if err := h.mirror.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(h.files(show)) != 7 {
		t.Fatal("media left that is nowhere else")
	}
	h.sync()
	want, wantLive := h.files(show), h.files(live.id)
	if err := h.mirror.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	here := slices.Sorted(maps.Keys(h.files(show)))
	if !slices.Equal(here, []string{replay.IndexName, "init-1.mp4"}) {
		t.Errorf("here: %q", here)
	}
	if len(h.files(live.id)) != len(wantLive) {
		t.Error("a show on air lost files")
	}
	for name, b := range want {
		if !replay.IsMedia(name) {
			continue
		}
		if status, got := h.get(show, name); status != http.StatusOK || !bytes.Equal(got, b) {
			t.Errorf("%s: %d", name, status)
		}
	}
	if diff := cmp.Diff(want, h.files(show)); diff != "" {
		t.Errorf("fetched back (-want +got):\n%s", diff)
	}
	// What the bucket lost does not leave: it is stored anew.
	if err := h.bucket.Delete(t.Context(), "recordings/"+show+"/2.m4s"); err != nil {
		t.Fatal(err)
	}
	if err := h.mirror.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(h.files(show)) != 7 {
		t.Fatal("media left that the bucket lacks")
	}
	h.sync()
	if diff := cmp.Diff(want, h.stored(show)); diff != "" {
		t.Errorf("(-want +bucket):\n%s", diff)
	}
	live.end(t)
}

// Covers that were given up here are given up there too.
func TestFollowsCovers(t *testing.T) {
	st := newStorage(t)
	h := newHouse(t, st, mirror.Config{})
	show := h.ended(2)
	write := func(name string) {
		t.Helper()
		if err := os.WriteFile(h.path(show, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		openHouse(t, st, h.dir, mirror.Config{}).sync() // looks at once at what one that runs looks at every minute
	}
	write("poster.jpg")
	write("poster-90000.jpg")
	if err := os.Remove(h.path(show, "poster-90000.jpg")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(h.path(show, "poster.jpg")); err != nil { // lost, not given up
		t.Fatal(err)
	}
	write("poster-180000.jpg")
	there := h.stored(show)
	if there["poster-180000.jpg"] == nil || there["poster-90000.jpg"] != nil || there["poster.jpg"] == nil {
		t.Errorf("%q", slices.Collect(maps.Keys(there)))
	}
}

func TestDeletesForGood(t *testing.T) {
	st := newStorage(t)
	h := newHouse(t, st, mirror.Config{})
	show, stays := h.ended(4), h.ended(2)
	h.sync()
	other := newHouse(t, st, mirror.Config{})
	other.sync()
	if status, _ := other.get(show, "1.m4s"); status != http.StatusOK {
		t.Fatal(status)
	}
	st.failWith(-1, "")
	if err := h.archive.Delete(show); err != nil {
		t.Fatal(err)
	}
	if h.archive.Has(show) {
		t.Error("still there")
	}
	if err := h.mirror.Sync(t.Context()); errs.KindOf(err) != errs.Unavailable {
		t.Fatalf("%v", err)
	}
	// The outage outlives the process; what must go is not forgotten.
	_ = h.archive.Close()
	st.failWith(0, "")
	h = openHouse(t, st, h.dir, mirror.Config{})
	if h.archive.Has(show) {
		t.Error("there again")
	}
	h.sync()
	if left := names(t, h.bucket, "recordings/"+show); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if len(h.stored(stays)) == 0 || !h.archive.Has(stays) {
		t.Error("another show went too")
	}
	h.sync()
	if left, err := os.ReadDir(filepath.Join(h.dir, "mirror", "deleted")); err != nil || len(left) != 0 {
		t.Errorf("%v %v", left, err)
	}
}
