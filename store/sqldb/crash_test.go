package sqldb

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/overlay"
)

// crashChildEnv names the database that the test binary appends to until it is killed.
const crashChildEnv = "VITRINE_TEST_CRASH_CHILD"

// crashChild appends events and says the number of each one that is stored.
func crashChild(path string) {
	ctx := context.Background()
	db, err := Open(ctx, path)
	if err != nil {
		fmt.Fprintln(os.Stdout, err)
		return
	}
	for {
		seq, err := db.AppendEvents(ctx, "show_0000000000000001", append(note(), note()...))
		if err != nil {
			fmt.Fprintln(os.Stdout, err)
			return
		}
		fmt.Fprintln(os.Stdout, seq+1)
	}
}

// What was acknowledged is there after kill -9 at any instant, and nothing half done.
func TestKillLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	path := filepath.Join(t.TempDir(), "vitrine.db")
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	show := onAir(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	acked := int64(0)
	for round := range 4 {
		acked = max(acked, runAndKill(t, path, 300+200*round))
		db, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		events, err := db.Events(t.Context(), show.ID, 0, 1_000_000)
		if err != nil {
			t.Fatal(err)
		}
		stored := int64(len(events))
		if stored < acked || stored%2 != 0 || events[stored-1].Seq != stored {
			t.Errorf("%d events were acknowledged; %d are stored, the last one numbered %d", acked, stored, events[stored-1].Seq)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// runAndKill lets a child append until it has said n lines, kills it, and returns the last number that it said.
func runAndKill(t *testing.T, path string, n int) (acked int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashChildEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ { // to the end of what it said
		if acked, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Fatalf("the child says %q", lines.Text())
		}
		if i == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	return acked
}

// The files of a database that is in use, copied as a crash would leave them, open with all that was committed.
func TestCopyOfRunningDatabaseOpens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vitrine.db")
	db := openTest(t, path)
	show := onAir(t, db)
	for range 50 {
		if _, err := db.AppendEvents(t.Context(), show.ID, note()); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := db.write.Begin() // a transaction is under way
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // done below
	if _, err := tx.Exec("DELETE FROM events"); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	again := openTest(t, copied)
	if events, err := again.Events(t.Context(), show.ID, 0, 100); err != nil || len(events) != 50 {
		t.Errorf("the copy holds %d events, %v; want 50", len(events), err)
	}
	var state string
	if err := again.write.QueryRow("PRAGMA integrity_check").Scan(&state); err != nil || state != "ok" {
		t.Errorf("integrity: %s, %v", state, err)
	}
	if seq, err := again.AppendEvents(t.Context(), show.ID, note()); err != nil || seq != 51 {
		t.Errorf("the next event is %d, %v; want 51", seq, err)
	}
}

func BenchmarkAppend(b *testing.B) {
	db := openTest(b, filepath.Join(b.TempDir(), "vitrine.db"))
	show := onAir(b, db)
	events := []overlay.Event{{
		Type: overlay.TypePin, Wall: time.UnixMilli(3),
		Data: []byte(`{"pin":{"id":"pin_0000000000000001","product_id":"prod_0000000000000001","featured":true,"show_time_ms":1200}}`),
	}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := db.AppendEvents(b.Context(), show.ID, events); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRoomByKeyHash(b *testing.B) {
	db := openTest(b, filepath.Join(b.TempDir(), "vitrine.db"))
	onAir(b, db)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := db.RoomByKeyHash(b.Context(), "hash"); err != nil {
			b.Fatal(err)
		}
	}
}
