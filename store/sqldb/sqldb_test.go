package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/store/storetest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashChildEnv); path != "" {
		crashChild(path)
		return
	}
	goleak.VerifyTestMain(m)
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return openTest(t, filepath.Join(t.TempDir(), "vitrine.db")) })
}

// migrated is a new database as the bytes of its file: bringing the schema up takes longer than most tests.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "vitrine")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "vitrine.db")
	db, err := Open(context.Background(), path)
	if err == nil {
		err = db.Close()
	}
	b, readErr := os.ReadFile(path)
	return b, errors.Join(err, readErr, os.RemoveAll(dir))
})

// openTest opens the database at a path, a new one where there is none.
func openTest(t testing.TB, path string) *DB {
	t.Helper()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		b, err := migrated()
		if err := errors.Join(err, os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// onAir makes a room with a show on air.
func onAir(t testing.TB, db *DB) live.Show {
	t.Helper()
	room := live.Room{ID: "room_0000000000000001", Title: "Room", KeyHash: "hash", CreatedAt: time.UnixMilli(1)}
	show := live.Show{ID: "show_0000000000000001", RoomID: room.ID, State: live.Live, CreatedAt: time.UnixMilli(2)}
	if err := errors.Join(db.CreateRoom(t.Context(), room), db.CreateShow(t.Context(), show)); err != nil {
		t.Fatal(err)
	}
	return show
}

func note() []overlay.Event {
	return []overlay.Event{{Type: overlay.TypeAnnouncement, Wall: time.UnixMilli(3), Data: []byte(`{"text":"hello"}`)}}
}

func TestOpenKeepsWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%41.db") // a path is not a URL
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	show := onAir(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is still there after Close: %v", err)
	}
	db = openTest(t, path)
	if got, err := db.Show(t.Context(), show.ID); err != nil || got.State != live.Live {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vitrine.db")
	db := openTest(t, path)
	onAir(t, db)
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %v", filepath.Base(name), mode)
		}
	}
}

func TestPragmas(t *testing.T) {
	db := openTest(t, filepath.Join(t.TempDir(), "vitrine.db"))
	for _, c := range []struct{ pragma, want string }{
		{"journal_mode", "wal"}, {"synchronous", "1"}, {"foreign_keys", "1"}, {"busy_timeout", "5000"},
	} {
		for name, pool := range map[string]*sql.DB{"write": db.write, "read": db.read} {
			var got string
			if err := pool.QueryRow("PRAGMA " + c.pragma).Scan(&got); err != nil || got != c.want {
				t.Errorf("%s of the %s pool is %s, %v; want %s", c.pragma, name, got, err, c.want)
			}
		}
	}
	if _, err := db.read.Exec("DELETE FROM rooms"); err == nil {
		t.Error("a reader could write")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	garbage, newer := filepath.Join(dir, "garbage.db"), filepath.Join(dir, "newer.db")
	if err := os.WriteFile(garbage, []byte("this is no database, but it is long enough to be looked at"), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), newer)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.write.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"no folder": filepath.Join(dir, "none", "vitrine.db"), "a folder": dir, "garbage": garbage, "newer schema": newer,
	} {
		db, err := Open(t.Context(), path)
		if errs.KindOf(err) != errs.Unavailable || errs.MessageOf(err) == "" || db != nil {
			t.Errorf("%s: got %v, %v", name, db, err)
		}
	}
}

func TestMigrationsGoDownAndUp(t *testing.T) {
	db := openTest(t, filepath.Join(t.TempDir(), "vitrine.db"))
	provider, err := newProvider(db.write, db.dialect)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	onAir(t, db)
}

func TestFullDiskIsExhausted(t *testing.T) {
	db := openTest(t, filepath.Join(t.TempDir(), "vitrine.db"))
	show := onAir(t, db)
	var pages int
	if err := db.write.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		t.Helper()
		if err := db.write.QueryRow("PRAGMA max_page_count = " + strconv.Itoa(n)).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 1)
	big := []overlay.Event{{Type: overlay.TypeBag, Data: make([]byte, 100_000)}}
	_, err := db.AppendEvents(t.Context(), show.ID, big)
	if errs.KindOf(err) != errs.Exhausted || errs.MessageOf(err) == "" {
		t.Errorf("got %v", err)
	}
	limit(pages + 1000)
	if seq, err := db.AppendEvents(t.Context(), show.ID, big); err != nil || seq != 1 {
		t.Errorf("once there is room again: got %d, %v", seq, err)
	}
}

func TestBusyIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vitrine.db")
	db, other := openTest(t, path), openTest(t, path)
	show := onAir(t, db)
	tx, err := other.write.Begin() // another process
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.write.Exec("PRAGMA busy_timeout = 10"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.AppendEvents(t.Context(), show.ID, note()); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("got %v", err)
	}
	if _, err := db.Events(t.Context(), show.ID, 0, 1); err != nil {
		t.Errorf("a reader waits for a writer: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if seq, err := db.AppendEvents(t.Context(), show.ID, note()); err != nil || seq != 1 {
		t.Errorf("once it is free: got %d, %v", seq, err)
	}
}
