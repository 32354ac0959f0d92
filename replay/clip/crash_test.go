package clip_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/replay/clip"
)

// childEnv names the data folder in which the test binary makes clips until it is killed; the words after it are how many it
// makes before it hangs, and where: in the middle of the next one, or between its file and its row.
const childEnv = "TEST_CLIP_CHILD"

func makeUntilKilled(what string, out io.Writer) error {
	var dir, where string
	var many int
	if _, err := fmt.Sscan(what, &dir, &many, &where); err != nil {
		return err
	}
	ctx := context.Background()
	h, err := open(ctx, dir, clip.Config{Parallel: 1}, func(d *clip.Deps) {
		w := &watched{out: out, many: many, where: where}
		d.Maker, d.Store = &watchedMaker{d.Maker, w}, &watchedStore{d.Store, w}
	})
	if err != nil {
		return err
	}
	h.clips.Run(ctx)
	return nil
}

// watched says what happens, and hangs where it is told to.
type watched struct {
	out   io.Writer
	where string

	mu   sync.Mutex
	many int
}

func (w *watched) say(what, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintln(w.out, what, id)
}

// hang never returns once as many as there should be are made.
func (w *watched) hang(where string) {
	w.mu.Lock()
	here := w.where == where && w.many == 0
	w.mu.Unlock()
	if here {
		fmt.Fprintln(w.out, "hangs", where)
		select {}
	}
}

type watchedMaker struct {
	clip.Maker
	*watched
}

func (m *watchedMaker) Make(ctx context.Context, j clip.Job) (clip.Made, error) {
	m.say("begins", j.Clip.ID)
	if f, err := os.Create(j.Path + ".part"); err == nil { // what a maker in the middle of it leaves
		_, _ = f.WriteString("half of a file")
		_ = f.Close()
	}
	m.hang("middle")
	made, err := m.Maker.Make(ctx, j)
	m.say("made", j.Clip.ID)
	return made, err
}

type watchedStore struct {
	clip.Store
	*watched
}

func (s *watchedStore) FinishClip(ctx context.Context, r clip.Report) (bool, error) {
	s.hang("between")
	s.mu.Lock()
	s.many--
	s.mu.Unlock()
	return s.Store.FinishClip(ctx, r)
}

// killed lets a child make clips until it hangs, kills it, and returns the ids that it began and made.
func killed(t *testing.T, dir string, many int, where string) (began, made []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", childEnv, dir, many, where))
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		word, id, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "begins":
			began = append(began, id)
		case "made":
			made = append(made, id)
		case "hangs":
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		default:
			t.Error(lines.Text())
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	return began, made
}

// One call makes a clip of each product; the server is killed in the middle of one, and between the file of one and its row.
// The rest is made after the next start, nothing that was made is made again, and the call repeated adds nothing.
func TestChapterClipsThroughCrashes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	h := newHouse(t, clip.Config{Parallel: 2})
	h.tape.play(3)
	const products = 8
	for n := range products {
		h.pin(n, int64(n)*2900+100, int64(n)*2900+2900)
	}
	h.end()
	want := clip.WantChapters{ShowID: h.show.ID, BatchID: "bat_0123456789abcdef", Kind: clip.Copy, By: "admin"}
	batch, clips, err := h.clips.CreateChapters(t.Context(), want)
	if err != nil || len(clips) != products {
		t.Fatalf("%d clips, %v", len(clips), err)
	}
	kept := map[string]time.Time{} // when the file of what is made was written
	remember := func(id string) {
		st, err := os.Stat(filepath.Join(h.dir, "clips", id, "clip.mp4"))
		if err != nil {
			t.Error(err)
			return
		}
		if at, known := kept[id]; known && !at.Equal(st.ModTime()) {
			t.Errorf("%s was made twice", id)
		}
		kept[id] = st.ModTime()
	}
	for _, k := range []struct {
		many  int
		where string
	}{{2, "middle"}, {1, "between"}, {1, "middle"}} {
		began, made := killed(t, h.dir, k.many, k.where)
		for _, id := range began {
			if _, known := kept[id]; known {
				t.Errorf("%s was begun again after it was made", id)
			}
		}
		for _, id := range made {
			remember(id)
		}
	}
	if _, again, err := h.clips.CreateChapters(t.Context(), want); err != nil || len(again) != products || again[0].ID != clips[0].ID {
		t.Errorf("repeated: %d clips, %v", len(again), err)
	}
	stop := h.run()
	h.settled()
	stop()
	for id := range kept {
		remember(id)
	}
	counts, err := h.clips.Batch(t.Context(), h.show.ID, batch)
	if err != nil || counts != (clip.Counts{Total: products, Done: products}) {
		t.Errorf("%+v, %v", counts, err)
	}
	h.checkFiles(clips)
}

// checkFiles compares files with their rows, and looks for anything else.
func (h *house) checkFiles(clips []clip.Clip) {
	h.t.Helper()
	ours := map[string]bool{}
	for i := range clips {
		c, err := h.clips.Get(h.t.Context(), h.show.ID, clips[i].ID)
		if err != nil || c.State != clip.Done || c.Progress != 1 || c.Bytes == 0 {
			h.t.Fatalf("%+v, %v", c, err)
		}
		if d := c.Result.Len() - c.Span.Len(); d < -9000 || d > 9000 {
			h.t.Errorf("%s shows %v of %v", c.ID, c.Result, c.Span)
		}
		ours[c.ID] = true
		entries, err := os.ReadDir(filepath.Join(h.dir, "clips", c.ID))
		if err != nil || len(entries) != 2 {
			h.t.Errorf("%v in the folder of %s, %v", entries, c.ID, err)
		}
		path := filepath.Join(h.dir, "clips", c.ID, "clip.mp4")
		if seconds := lasts(h.t, path); seconds < c.Span.Len().Seconds()-0.1 || seconds > c.Span.Len().Seconds()+0.1 {
			h.t.Errorf("%s lasts %v s, not %v", c.ID, seconds, c.Span.Len().Seconds())
		}
	}
	entries, err := os.ReadDir(filepath.Join(h.dir, "clips"))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !ours[e.Name()] {
			h.t.Errorf("%s is nobody's", e.Name())
		}
	}
}

// lasts decodes a file, which must be clean, and tells how long its picture is.
func lasts(t testing.TB, path string) float64 {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path).Output()
	var seconds float64
	if _, scanErr := fmt.Sscan(string(out), &seconds); err != nil || scanErr != nil {
		t.Fatalf("ffprobe %s: %v, %q", path, err, out)
	}
	return seconds
}
