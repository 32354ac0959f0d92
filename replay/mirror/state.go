package mirror

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/atomicfile"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// state is what is remembered of a show between runs. It spares work: without it the bucket is listed and compared.
type state struct {
	Bucket   string           `json:"bucket"`             // what it speaks of
	Complete bool             `json:"complete,omitempty"` // the show is over and all of it is in the bucket
	Fetched  bool             `json:"fetched,omitempty"`  // the original is elsewhere: nothing is ever uploaded
	Index    int64            `json:"index,omitempty"`    // bytes of the index that are in the bucket
	Ended    time.Time        `json:"ended,omitzero"`     // when its last segment was recorded
	Others   map[string]stamp `json:"others,omitempty"`   // files beside media and index that are in the bucket
}

// stamp tells one content of a file from another.
type stamp struct {
	Size     int64 `json:"size"`
	Modified int64 `json:"modified"` // Unix nanoseconds
}

// states are the files of one folder: shows/{show}.json, deleted/{show} and watched.json.
type states struct{ dir, bucket string }

func (s states) open() error {
	return errors.Join(os.MkdirAll(filepath.Join(s.dir, "shows"), 0o750), os.MkdirAll(filepath.Join(s.dir, "deleted"), 0o750))
}

// sweep removes what a process was writing here when it was killed: temporary files are named after what they were to become.
// It is for the one who writes here, before anything is written.
func (s states) sweep() {
	for _, pattern := range []string{"watched.json.*", "shows/*.json.*", "deleted/*.*"} {
		left, _ := fs.Glob(os.DirFS(s.dir), pattern) // the patterns are well formed
		for _, name := range left {
			_ = os.Remove(filepath.Join(s.dir, filepath.FromSlash(name))) // or by the next start
		}
	}
}

func (s states) file(showID string) string { return filepath.Join(s.dir, "shows", showID+".json") }

// load reads the state of a show; false when there is none, or it speaks of another bucket.
func (s states) load(showID string) (state, bool) {
	var st state
	b, err := os.ReadFile(s.file(showID))
	if err != nil || json.Unmarshal(b, &st) != nil || st.Bucket != s.bucket {
		return state{}, false
	}
	return st, true
}

func (s states) save(showID string, st *state) error {
	st.Bucket = s.bucket
	b, err := json.Marshal(st)
	if err != nil {
		return err
	}
	return atomicfile.Write(s.file(showID), b, 0o640)
}

func (s states) remove(showID string) { _ = os.Remove(s.file(showID)) } // what stays is compared anew

func (s states) tombstone(showID string) string { return filepath.Join(s.dir, "deleted", showID) }

func (s states) bury(showID string) error {
	return atomicfile.Write(s.tombstone(showID), []byte(time.Now().UTC().Format(time.RFC3339)+"\n"), 0o640)
}

func (s states) unbury(showID string) error {
	if err := os.Remove(s.tombstone(showID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (s states) tombstones() (shows []string) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "deleted"))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if ids.Valid("show", e.Name()) && !strings.Contains(e.Name(), ".") {
			shows = append(shows, e.Name())
		}
	}
	return shows
}

func (s states) watchedFile() string { return filepath.Join(s.dir, "watched.json") }

func (s states) loadWatched() map[string]time.Time {
	watched := map[string]time.Time{}
	if b, err := os.ReadFile(s.watchedFile()); err == nil && json.Unmarshal(b, &watched) != nil {
		watched = map[string]time.Time{}
	}
	return watched
}

func (s states) saveWatched(watched map[string]time.Time) error {
	b, err := json.Marshal(watched)
	if err != nil {
		return err
	}
	return atomicfile.Write(s.watchedFile(), b, 0o640)
}
