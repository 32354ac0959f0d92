package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/replay/clip"
)

// inFolder reports whether -o names a folder, for the clip is then called after its id.
func (c *clipCommand) inFolder() bool {
	if c.out == "" || os.IsPathSeparator(c.out[len(c.out)-1]) {
		return true
	}
	st, err := os.Stat(c.out)
	return err == nil && st.IsDir()
}

// target is where the file of a clip goes. The clip may be one of several, for which -o is a folder in any case.
func (c *clipCommand) target(id string, several bool) string {
	if several || c.inFolder() {
		return filepath.Join(c.out, id+".mp4")
	}
	return c.out
}

// checkTarget looks, before the work is done, whether the file of a single clip could be written.
func (c *clipCommand) checkTarget() error {
	if c.kind == string(clip.Instant) {
		return nil
	}
	if c.inFolder() {
		return writable(filepath.Clean(c.out))
	}
	if err := c.absent(c.out); err != nil {
		return err
	}
	return writable(filepath.Dir(c.out))
}

// absent refuses a file that is there.
func (c *clipCommand) absent(path string) error {
	if _, err := os.Lstat(path); err == nil && !c.force {
		return fmt.Errorf("%s is there already: name another file with -o, or write over it with --force", path)
	}
	return nil
}

// makeTarget makes the folder of several clips.
func (c *clipCommand) makeTarget() error {
	dir := filepath.Clean(c.out)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("the folder for the clips cannot be made: %w; name another with -o", err)
	}
	return writable(dir)
}

// writable tells why a folder takes no files.
func writable(dir string) error {
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return fmt.Errorf("there is no folder %s: make it first, or name another file with -o", dir)
	}
	f, err := os.CreateTemp(dir, ".vitrine-*")
	if err != nil {
		return fmt.Errorf("nothing can be written in %s: %w; name another place with -o", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// fetch saves the file of a clip, or tells where an instant one is.
func (c *clipCommand) fetch(ctx context.Context, clip *api.Clip, several bool) error {
	if clip.MP4URL == nil {
		_, err := fmt.Fprintf(c.stdout, "%s  %s  %s%s\n", clip.ID, clip.Title, c.client.base, clip.PageURL)
		return err
	}
	path := c.target(clip.ID, several)
	if err := c.save(ctx, *clip.MP4URL, path); err != nil {
		if ctx.Err() != nil {
			err = errors.New("stopped")
		}
		return fmt.Errorf("%w; the clip is made and stays on the server: %s%s?download", err, c.client.base, *clip.MP4URL)
	}
	_, err := fmt.Fprintf(c.stdout, "%s  %s  %s\n", clip.ID, clip.Title, path)
	return err
}

// save fetches a file, which is whole or not there.
func (c *clipCommand) save(ctx context.Context, url, path string) error {
	body, err := c.client.open(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := c.absent(path); err != nil { // somebody else's, made meanwhile
		return err
	}
	part := path + ".part"
	f, err := os.Create(part)
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	_, err = io.Copy(f, body)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err == nil {
		return nil
	}
	_ = os.Remove(part)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("the disk of %s is full: make room, or name another place with -o", path)
	}
	return fmt.Errorf("%s was not fetched: %w", path, err)
}
