package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/servertest"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// A backup that is made while orders of the day go on holds one state of the database, and restores to just that.
func TestBackupAndRestore(t *testing.T) {
	data, parent := filepath.Join(t.TempDir(), "data"), t.TempDir()
	folder, err := openData(data) // as a running server does
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if _, _, err := folder.adminToken(); err != nil {
		t.Fatal(err)
	}
	segment := filepath.Join(data, "recordings", "show_1", "seg.m4s")
	if err := errors.Join(os.MkdirAll(filepath.Dir(segment), 0o750), os.WriteFile(segment, bytes.Repeat([]byte("media"), 1<<16), 0o600)); err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(t.Context(), folder.file(databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	before := fill(t, db, "before", 50)
	dest := filepath.Join(parent, "backup")
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			_ = db.CreateRoom(ctx, room("during", n))
		}
	})
	vitrine(t, data, "backup", dest)
	cancel()
	wg.Wait()

	restored := filepath.Join(parent, "restored")
	vitrine(t, restored, "restore", dest)
	again, err := sqldb.Open(t.Context(), filepath.Join(restored, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	compare(t, again, before)
	for _, name := range []string{"admin.token", "recordings/show_1/seg.m4s"} {
		want, wantErr := os.ReadFile(filepath.Join(data, name))
		got, gotErr := os.ReadFile(filepath.Join(restored, name))
		if err := errors.Join(wantErr, gotErr); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs: %v", name, err)
		}
	}
	if err := run(t.Context(), []string{"restore", dest, "--data", restored}, nil, new(bytes.Buffer), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "overwritten") {
		t.Errorf("a folder in use was taken: %v", err)
	}
}

func TestBackupAndRestorePostgres(t *testing.T) {
	empty := func(context.Context, string) error { return nil }
	from, to := servertest.Postgres(t, "empty", empty), servertest.Postgres(t, "empty", empty)
	db, err := sqldb.OpenPostgres(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	before := fill(t, db, "before", 20)
	data, parent := t.TempDir(), t.TempDir()
	dest := filepath.Join(parent, "backup")
	vitrine(t, data, "backup", dest, "VITRINE_DATABASE_URL="+from)
	err = run(t.Context(), []string{"restore", dest, "--data", filepath.Join(parent, "a")}, []string{"VITRINE_DATABASE_URL=" + from}, new(bytes.Buffer), new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "holds tables") {
		t.Errorf("a database in use was taken: %v", err)
	}
	vitrine(t, filepath.Join(parent, "b"), "restore", dest, "VITRINE_DATABASE_URL="+to)
	again, err := sqldb.OpenPostgres(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	compare(t, again, before)
}

// vitrine runs a command of one argument on a data folder.
func vitrine(t *testing.T, data, command, arg string, env ...string) {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), []string{command, arg}, append(env, "VITRINE_DATA="+data), &out, &out); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, &out)
	}
}

func room(name string, n int) live.Room {
	id := fmt.Sprintf("room_%s%d", name, n)
	return live.Room{ID: id, Title: "房间 " + name, KeyHash: id, StoreID: "store_default", CreatedAt: time.UnixMilli(int64(n + 1)).UTC()}
}

func fill(t *testing.T, db *sqldb.DB, name string, rooms int) (made []live.Room) {
	t.Helper()
	for n := range rooms {
		r := room(name, n)
		if err := db.CreateRoom(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		made = append(made, r)
	}
	return made
}

func compare(t *testing.T, db *sqldb.DB, want []live.Room) {
	t.Helper()
	for _, w := range want {
		if got, err := db.Room(t.Context(), w.ID); err != nil || fmt.Sprint(got) != fmt.Sprint(w) {
			t.Fatalf("got %+v, %v; want %+v", got, err, w)
		}
	}
}
