package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/servertest"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/store/storetest"
)

func TestConformancePostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return openPostgres(t) })
}

// openPostgres opens a database of its own with the schema in it.
func openPostgres(t testing.TB) *DB {
	t.Helper()
	return openURL(t, servertest.Postgres(t, "schema", makeSchema))
}

func makeSchema(ctx context.Context, url string) error {
	db, err := OpenPostgres(ctx, url)
	if err != nil {
		return err
	}
	return db.Close()
}

func openURL(t testing.TB, url string) *DB {
	t.Helper()
	db, err := OpenPostgres(t.Context(), url)
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

func emptyDatabase(context.Context, string) error { return nil }

// Servers that start at once on an empty database do not meet.
func TestPostgresOpensAtOnce(t *testing.T) {
	url := servertest.Postgres(t, "empty", emptyDatabase)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			db, err := OpenPostgres(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(db.Ping(t.Context()), db.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestPostgresMigrationsGoDownAndUp(t *testing.T) {
	db := openPostgres(t)
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

func TestPostgresReadersCannotWrite(t *testing.T) {
	db := openPostgres(t)
	if _, err := db.read.Exec("DELETE FROM rooms"); err == nil {
		t.Error("a reader could write")
	}
}

func TestOpenPostgresRefuses(t *testing.T) {
	newer := openPostgres(t)
	if _, err := newer.write.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)"); err != nil {
		t.Fatal(err)
	}
	url := servertest.Postgres(t, "empty", emptyDatabase)
	latin := openURL(t, url)
	if _, err := latin.write.Exec("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	defer latin.write.Exec("DROP DATABASE latin WITH (FORCE)") //nolint:errcheck // it goes with the server anyway
	database := func(name string) string { return "postgres:///" + name + url[strings.IndexByte(url, '?'):] }
	for name, c := range map[string]struct {
		url  string
		kind errs.Kind
		says string
	}{
		"no URL":       {"postgres://%zz:secret@h/", errs.Invalid, "postgres://user:password@host"},
		"pool":         {url + "&pool_max_conns=none", errs.Invalid, "pool_max_conns"},
		"nobody there": {"postgres://vitrine:secret@127.0.0.1:1/shop?connect_timeout=1", errs.Unavailable, "shop at 127.0.0.1:1"},
		"no such name": {database("nowhere"), errs.Unavailable, "nowhere"},
		"newer schema": {database(databaseOf(t, newer)), errs.Unavailable, "cannot be used"},
		"latin":        {database("latin"), errs.Unavailable, "cannot be used"},
	} {
		db, err := OpenPostgres(t.Context(), c.url)
		if errs.KindOf(err) != c.kind || !strings.Contains(errs.MessageOf(err), c.says) || strings.Contains(err.Error(), "secret") || db != nil {
			t.Errorf("%s: got %v, %v", name, db, err)
		}
	}
}

func databaseOf(t *testing.T, db *DB) (name string) {
	t.Helper()
	if err := db.read.QueryRow("SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

// Text that SQLite would keep and PostgreSQL cannot is the caller's mistake.
func TestPostgresRefusesNUL(t *testing.T) {
	db := openPostgres(t)
	err := db.SetSetting(t.Context(), "k", "a\x00b")
	if errs.KindOf(err) != errs.Invalid || errs.MessageOf(err) == "" {
		t.Errorf("got %v", err)
	}
}

// Two transactions that lock the same rows in opposite orders both come through.
func TestPostgresDeadlocksAreRunAgain(t *testing.T) {
	db := openPostgres(t)
	var rooms [2]live.Room
	for i := range rooms {
		rooms[i] = live.Room{ID: "room_" + string(rune('a'+i)), KeyHash: string(rune('a' + i)), CreatedAt: time.UnixMilli(1)}
		if err := db.CreateRoom(t.Context(), rooms[i]); err != nil {
			t.Fatal(err)
		}
	}
	holding := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	runs := [2]int{}
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			err := db.update(t.Context(), "test", func(ctx context.Context, tx *sql.Tx) error {
				runs[i]++
				if err := db.lockRow(ctx, tx, "rooms", rooms[i].ID); err != nil {
					return err
				}
				if runs[i] == 1 {
					close(holding[i])
				}
				<-holding[1-i]
				return db.lockRow(ctx, tx, "rooms", rooms[1-i].ID)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if runs[0]+runs[1] < 3 {
		t.Errorf("they ran %v times: they did not meet", runs)
	}
}

// A database that was away is found again, and meanwhile its absence is called by its name.
func TestPostgresConnectionsHeal(t *testing.T) {
	db := openPostgres(t)
	show := onAir(t, db)
	other := openURL(t, servertest.Postgres(t, "empty", emptyDatabase))
	if _, err := other.write.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", databaseOf(t, db)); err != nil {
		t.Fatal(err)
	}
	healed := false
	for range 2 * attempts { // each connection that was open may fail once
		_, err := db.AppendEvents(t.Context(), show.ID, note())
		if healed = err == nil; healed {
			break
		}
		if errs.KindOf(err) != errs.Unavailable {
			t.Errorf("got %v", err)
		}
	}
	if _, err := db.Show(t.Context(), show.ID); !healed || err != nil {
		t.Errorf("written: %v; read: %v", healed, err)
	}
	if _, err := db.Products(t.Context(), commerce.ProductQuery{Limit: 1}); err != nil {
		t.Error(err)
	}
}
