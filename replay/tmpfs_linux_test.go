package replay

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"
)

// A real file system fills up in the middle of a show, and somebody makes room.
func TestFullFileSystem(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("a small tmpfs cannot be mounted, which takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := newShow()
		s.partSize = 200 << 10
		a := newArchiveOn(t, dir, Config{Reserve: -1}, freeSpace)
		other := filepath.Join(dir, "other")
		if err := os.WriteFile(other, make([]byte, 4<<20), 0o644); err != nil {
			t.Fatal(err)
		}
		r := s.recorder(t, a.Archive)
		s.start(r, 0)
		feed := func(n int) {
			for range n {
				lookAtSpace()
				s.run(r, 1)
				synctest.Wait()
			}
		}
		feed(7)
		st := r.Status()
		if !st.Paused || st.Gaps < 1 || st.Gaps > 5 {
			t.Fatalf("status %+v", st)
		}
		if _, err := os.Stat(filepath.Join(dir, s.id, "6.m4s")); err == nil {
			t.Error("half of a segment is left on the disk")
		}
		first := 7 - st.Gaps
		if err := os.Remove(other); err != nil {
			t.Fatal(err)
		}
		feed(2)
		if st := r.Status(); st.Paused {
			t.Errorf("status %+v", st)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		var gaps []int
		for i := first; i < 7; i++ {
			gaps = append(gaps, i)
		}
		checkGaps(t, a, s, gaps...)
	})
}

// With a reserve the disk never fills: the pause comes before it.
func TestReserveOfFileSystem(t *testing.T) {
	free, err := freeSpace(t.TempDir())
	if err != nil || free <= 0 {
		t.Errorf("%d bytes free: %v", free, err)
	}
	if _, err := freeSpace("/no/such/folder"); err == nil {
		t.Error("no error for a folder that is not there")
	}
	if !isFull(&os.PathError{Op: "write", Err: syscall.ENOSPC}) || !isFull(syscall.EDQUOT) || isFull(syscall.EIO) {
		t.Error("errors are taken for what they are not")
	}
}
