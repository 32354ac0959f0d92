package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// together runs writers so that all but the first share a batch: they come while the first is at work.
func together(t *testing.T, db *DB, first work, others ...work) []error {
	t.Helper()
	results := make([]error, 1+len(others))
	atWork, goOn := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(atWork) })
	var wg sync.WaitGroup
	wg.Go(func() {
		results[0] = db.update(t.Context(), "first", func(ctx context.Context, tx *sql.Tx) error {
			once()
			<-goOn
			return first(ctx, tx)
		})
	})
	<-atWork
	for i, do := range others {
		wg.Go(func() { results[1+i] = db.update(t.Context(), "other", do) })
	}
	for waiting := 0; waiting < len(others); {
		db.group.mu.Lock()
		waiting = len(db.group.waiting)
		db.group.mu.Unlock()
		runtime.Gosched()
	}
	close(goOn)
	wg.Wait()
	return results
}

func put(key string) work {
	return func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO settings (key, value) VALUES ($1, '')", key)
		return err
	}
}

func kept(t *testing.T, db *DB) string {
	t.Helper()
	rows, err := db.read.Query("SELECT key FROM settings ORDER BY key")
	keys, err := collect(rows, err, func(row scanner) (key string, err error) { return key, row.Scan(&key) })
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(keys, " ")
}

var errRefused = errors.New("refused")

// then fails after its work, or panics.
func then(do work, end func() error) work {
	return func(ctx context.Context, tx *sql.Tx) error {
		if err := do(ctx, tx); err != nil {
			return err
		}
		return end()
	}
}

func refuse() error { return errRefused }

func TestGroupUndoesOneAlone(t *testing.T) {
	for name, first := range map[string]work{"first stays": put("a"), "first fails": then(put("x"), refuse)} {
		t.Run(name, func(t *testing.T) {
			db := openTest(t, filepath.Join(t.TempDir(), "vitrine.db"))
			got := together(t, db, first, put("b"), then(put("y"), refuse), put("c"), then(put("z"), refuse), put("d"))
			for i, failed := range []bool{name == "first fails", false, true, false, true, false} {
				if errors.Is(got[i], errRefused) != failed {
					t.Errorf("writer %d: %v", i, got[i])
				}
			}
			if now, want := kept(t, db), map[bool]string{true: "b c d", false: "a b c d"}[name == "first fails"]; now != want {
				t.Errorf("kept %q, want %q", now, want)
			}
		})
	}
}

// A writer whose goroutine ends in the middle takes nobody with it.
func TestGroupSurvivesGoexit(t *testing.T) {
	db := openTest(t, filepath.Join(t.TempDir(), "vitrine.db"))
	exit := then(put("x"), func() error { runtime.Goexit(); return nil })
	got := together(t, db, exit, put("a"), exit, put("b"))
	if err := errors.Join(got...); err != nil {
		t.Error(err)
	}
	if now := kept(t, db); now != "a b" {
		t.Errorf("kept %q", now)
	}
}

// When a batch cannot be committed, whose fault it was decides who hears of it: the others' work is done all the same.
func TestGroupThatCannotCommit(t *testing.T) {
	db := openTest(t, filepath.Join(t.TempDir(), "vitrine.db"))
	// A reference that is only checked at the commit.
	if _, err := db.write.Exec("CREATE TABLE late (id TEXT REFERENCES settings (key) DEFERRABLE INITIALLY DEFERRED)"); err != nil {
		t.Fatal(err)
	}
	dangling := func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO late VALUES ('nobody')")
		return err
	}
	got := together(t, db, put("a"), put("b"), dangling, then(put("x"), refuse), put("c"))
	for i, want := range []error{nil, nil, errors.New("its own"), errRefused, nil} {
		if (got[i] == nil) != (want == nil) || errors.Is(want, errRefused) && !errors.Is(got[i], errRefused) {
			t.Errorf("writer %d: got %v, want %v", i, got[i], want)
		}
	}
	if now := kept(t, db); now != "a b c" {
		t.Errorf("kept %q", now)
	}
}

// A batch whose transaction is gone in the middle is done again, each member alone.
func TestGroupThatIsRolledBack(t *testing.T) {
	db := openTest(t, filepath.Join(t.TempDir(), "vitrine.db"))
	broken := false
	breaks := func(ctx context.Context, tx *sql.Tx) error {
		if !broken {
			broken = true
			_, _ = tx.ExecContext(ctx, "ROLLBACK") // as SQLite does by itself when the disk is full
			return errRefused
		}
		return put("d")(ctx, tx)
	}
	if err := errors.Join(together(t, db, put("a"), put("b"), breaks, put("c"))...); err != nil {
		t.Error(err)
	}
	if now := kept(t, db); now != "a b c d" {
		t.Errorf("kept %q", now)
	}
}

// Whoever gives up waiting has written nothing, and those behind go on.
func TestGroupWaitEnds(t *testing.T) {
	db := openTest(t, filepath.Join(t.TempDir(), "vitrine.db"))
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	first := func(c context.Context, tx *sql.Tx) error {
		go func() { gone <- db.update(ctx, "gone", put("x")) }()
		for waiting := 0; waiting < 2; {
			db.group.mu.Lock()
			waiting = len(db.group.waiting)
			db.group.mu.Unlock()
			runtime.Gosched()
		}
		cancel()
		if err := <-gone; errs.KindOf(err) != errs.Unavailable {
			return fmt.Errorf("who left got %w", err)
		}
		return put("a")(c, tx)
	}
	if err := errors.Join(together(t, db, first, put("b"))...); err != nil {
		t.Error(err)
	}
	if now := kept(t, db); now != "a b" {
		t.Errorf("kept %q", now)
	}
}
