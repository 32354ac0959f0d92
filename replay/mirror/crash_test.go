package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/mirror"
	"github.com/vitrine-live/vitrine/store/blob"
)

// childEnv tells the test binary to be a server that records and uploads until it is killed. The words are its data folder, the
// storage, its key there, the show, and whether that ends.
const childEnv = "TEST_MIRROR_CHILD"

func uploadUntilKilled(what string) error {
	var dir, url, key, show string
	var ends bool
	if _, err := fmt.Sscan(what, &dir, &url, &key, &show, &ends); err != nil {
		return err
	}
	bucket, err := blob.NewS3(bucketAt(url, key, &http.Transport{}))
	if err != nil {
		return err
	}
	recordings := filepath.Join(dir, "recordings")
	m, err := mirror.New(bucket, recordings, filepath.Join(dir, "mirror"), mirror.Config{Interval: time.Millisecond, Parallel: 3}, nil, nil)
	if err != nil {
		return err
	}
	a, err := replay.Open(recordings, replay.Config{FFmpeg: "none", SyncInterval: 10 * time.Millisecond, Copies: m}, nil, nil)
	if err != nil {
		return err
	}
	var running sync.WaitGroup
	running.Go(func() { m.Run(context.Background(), a) })
	s, err := onAir(a, show)
	switch {
	case errs.KindOf(err) == errs.Conflict: // over since an earlier life
	case err != nil:
		return err
	case ends:
		s.run(3)
		_ = m.Sync(context.Background()) // sees that it is on air; what fails is tried again
		s.recorder.End()
		if err := s.recorder.Close(); err != nil {
			return err
		}
	default:
		for range 5000 { // on air for seconds, or until it is killed
			s.run(1)
			time.Sleep(5 * time.Millisecond)
		}
	}
	running.Wait()
	return errors.New("nobody came to kill it")
}

// moment is when a server is killed: with the nth request of a kind.
type moment struct {
	method, name string // name ends so; "": any
	nth          int
	when         phase
	ends         bool // the show is over in this life
}

type phase int

const (
	halfway phase = iota // the storage has read half of the request
	unheard              // the storage did as it was told, and nobody heard it
)

// killer is a storage that kills its clients, and remembers what it stored.
type killer struct {
	life    string        // the key of who lives
	hit     chan struct{} // closed at the moment
	dead    chan struct{} // closed once it is
	at      moment
	mu      sync.Mutex
	idle    sync.Cond
	busy    int            // requests under way
	stored  map[string]int // by name: how often all of it came and was kept
	uploads []string       // requests about uploads in several parts
}

func newKiller() *killer {
	k := &killer{stored: map[string]int{}}
	k.idle.L = &k.mu
	return k
}

// begin lets another client live until a moment.
func (k *killer) begin(life string, at moment) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.life, k.at, k.hit, k.dead = life, at, make(chan struct{}), make(chan struct{})
}

// bury returns once nothing that the dead client sent can have effects any more.
func (k *killer) bury() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.life = ""
	close(k.dead)
	for k.busy > 0 {
		k.idle.Wait()
	}
}

func (k *killer) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	k.mu.Lock()
	if k.life == "" || !strings.Contains(r.Header.Get("Authorization"), "Credential="+k.life+"/") {
		k.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	k.busy++
	if q := r.URL.Query(); q.Has("uploads") || q.Has("uploadId") {
		k.uploads = append(k.uploads, r.Method+" "+r.URL.String())
	}
	now := r.Method == k.at.method && strings.HasSuffix(r.URL.Path, k.at.name)
	if now {
		k.at.nth--
		now = k.at.nth == 0
	}
	at, dead := k.at, k.dead
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		k.busy--
		k.idle.Broadcast()
		k.mu.Unlock()
	}()
	if now && at.when == halfway {
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		close(k.hit)
		<-dead
		panic(http.ErrAbortHandler)
	}
	answer := &statusWriter{ResponseWriter: w}
	next.ServeHTTP(answer, r)
	if r.Method == http.MethodPut && answer.status < http.StatusMultipleChoices {
		k.mu.Lock()
		k.stored[r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]]++
		k.mu.Unlock()
	}
	if now {
		close(k.hit)
		<-dead
		panic(http.ErrAbortHandler)
	}
}

type statusWriter struct {
	http.ResponseWriter
	status int // 0: that of success
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// liveAndDie runs a server in the folder until the moment, and kills it.
func liveAndDie(t *testing.T, k *killer, dir, url, show string, n int, at moment) {
	t.Helper()
	key := fmt.Sprintf("life-%d", n)
	k.begin(key, at)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %s %t", childEnv, dir, url, key, show, at.ends))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-k.hit:
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err == nil {
			t.Error("it ended by itself")
		}
	case err := <-ended:
		t.Errorf("life %d never came to %+v: %v", n, at, err)
	}
	k.bury()
}

// A server that records and uploads is killed again and again, wherever it is: whoever comes after it goes on with the show,
// and in the end the bucket has all of it, none of it stored twice, and nothing else.
func TestKilledWhileUploading(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	st, k := newStorage(t), newKiller()
	st.mu.Lock()
	st.hook = k.serve
	st.mu.Unlock()
	dir, show := t.TempDir(), ids.New("show")
	for n, at := range []moment{
		{"PUT", "init-1.mp4", 1, halfway, false},
		{"PUT", ".m4s", 1, halfway, false},
		{"PUT", ".m4s", 5, unheard, false},
		{"PUT", ".mp4", 1, unheard, false},
		{"PUT", "index-00000.jsonl", 2, halfway, false},
		{"PUT", "index-00000.jsonl", 3, unheard, false},
		{"GET", "", 2, halfway, false}, // it looks at what is there
		{"PUT", ".m4s", 9, halfway, false},
		{"PUT", "storyboard.json", 1, halfway, true},
		{"PUT", "index.jsonl", 1, halfway, true},
		{"PUT", "index.jsonl", 1, unheard, true},
		{"DELETE", "index-00000.jsonl", 1, halfway, true},
	} {
		if at.ends {
			if err := os.WriteFile(filepath.Join(dir, "recordings", show, "storyboard.json"), []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		liveAndDie(t, k, dir, st.url, show, n, at)
		if t.Failed() {
			return
		}
	}
	k.begin("key", moment{})
	h := openHouse(t, st, dir, mirror.Config{})
	h.sync()
	checkBoth(t, h, show)
	for name, n := range k.stored {
		if (replay.IsMedia(name) || strings.HasPrefix(name, "init-")) && n != 1 {
			t.Errorf("%s was stored %d times", name, n)
		}
	}
	if len(k.uploads) > 0 {
		t.Errorf("uploads in several parts, which may stay behind: %q", k.uploads)
	}
	k.stored = map[string]int{}
	openHouse(t, st, dir, mirror.Config{}).sync()
	if len(k.stored) > 0 {
		t.Errorf("stored again: %v", k.stored)
	}
}

// checkBoth compares the disk with the bucket, and looks for what belongs to neither.
func checkBoth(t *testing.T, h *house, show string) {
	t.Helper()
	here, there := h.files(show), h.stored(show)
	if diff := cmp.Diff(here, there); diff != "" {
		t.Errorf("(-here +bucket):\n%s", diff)
	}
	rec, err := h.archive.Recording(show)
	if err != nil {
		t.Fatal(err)
	}
	if !rec.Ended() || len(rec.Inits()) < 3 {
		t.Errorf("ended: %v, %d inits", rec.Ended(), len(rec.Inits()))
	}
	known := map[string]bool{replay.IndexName: true, "storyboard.json": true}
	for _, in := range rec.Inits() {
		known[fmt.Sprintf("init-%d.mp4", in.Number)] = true
	}
	for i, s := range rec.Segments() {
		if s.MSN != int64(i) || s.Gap {
			t.Errorf("segment %d is %+v", i, s)
		}
		known[fmt.Sprintf("%d.m4s", s.MSN)] = true
	}
	for name := range there {
		if !known[name] {
			t.Errorf("%s is nobody's", name)
		}
	}
	if len(there) != len(known) {
		t.Errorf("%d files of %d", len(there), len(known))
	}
	if r := h.inspector(true).Verify(t.Context(), show); !r.Healthy() || r.Pending {
		t.Errorf("%+v", r.Summary)
	}
	state := map[string]bool{"shows": true, show + ".json": true, "deleted": true, "watched.json": true, "mirror": true}
	err = filepath.WalkDir(filepath.Join(h.dir, "mirror"), func(path string, _ fs.DirEntry, err error) error {
		if !state[filepath.Base(path)] {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// What a process was writing when it was killed goes with the next start; what it had written stays.
func TestHalfWrittenStates(t *testing.T) {
	st := newStorage(t)
	h := newHouse(t, st, mirror.Config{})
	show := h.ended(2)
	h.sync()
	state := filepath.Join(h.dir, "mirror")
	half := []string{
		filepath.Join(state, "watched.json.123"), filepath.Join(state, "shows", show+".json.456"), filepath.Join(state, "deleted", show+".789"),
	}
	for _, path := range half {
		if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	st.forget()
	openHouse(t, st, h.dir, mirror.Config{}).sync()
	for _, path := range half {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there", path)
		}
	}
	if st.count(http.MethodPut) != 0 || !h.archive.Has(show) {
		t.Error("what was known is forgotten")
	}
}
