package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/internal/atomicfile"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/clip"
	"github.com/vitrine-live/vitrine/replay/edit"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// cutFolder makes a clip of a show's folder, without a server.
func (c *clipCommand) cutFolder(ctx context.Context) error {
	rec, err := replay.OpenRecording(c.recording)
	if err != nil {
		return fmt.Errorf("%w: --recording takes the folder of one show, which is data/recordings/ and its id", err)
	}
	defer rec.Close() //nolint:errcheck // it was only read
	deps, done, err := c.known(ctx, rec)
	if err != nil {
		return err
	}
	defer done()
	if err := c.checkTarget(); err != nil {
		return err
	}
	path := c.target(ids.New("clp"), false)
	sidecar := strings.TrimSuffix(path, filepath.Ext(path)) + ".json"
	if err := c.absent(sidecar); err != nil {
		return err
	}
	deps.Maker = &clip.Makers{FFmpeg: c.config.Transcode.FFmpeg}
	want := clip.Want{Kind: clip.Kind(c.kind), Title: c.title, Chapter: c.chapter}
	if c.chapter == "" {
		want.From, want.To = new(media.FromDuration(c.from)), new(media.FromDuration(c.to))
	}
	progress, finish := clipBar(c.stderr)
	made, doc, err := clip.File(ctx, rec, deps, want, path, progress)
	finish()
	if ctx.Err() != nil {
		return errors.New("stopped: nothing was made")
	}
	if err != nil {
		return c.inFlags(err)
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err == nil {
		err = atomicfile.Write(sidecar, append(b, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("the clip is made (%s), its sidecar is not: %w", path, err)
	}
	_, err = fmt.Fprintf(c.stdout, "%s  %s  %s\n", strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), made.Title, path)
	return err
}

// inFlags says what is wrong with a field by the flag that set it.
func (c *clipCommand) inFlags(err error) error {
	text := cmp.Or(errs.MessageOf(err), err.Error())
	if flag, ok := clipFlags[errs.FieldOf(err)]; ok {
		text = flag + ": " + text
	}
	return errors.New(text)
}

// known is what the database in the data folder knows of a show: nothing when none is named.
func (c *clipCommand) known(ctx context.Context, rec *replay.Recording) (deps clip.Deps, done func(), err error) {
	if c.data == "" {
		return clip.Deps{}, func() {}, nil
	}
	if c.config.Database.URL != "" {
		return clip.Deps{}, nil, errors.New("what is known of the show is in PostgreSQL (database.url): ask the running server, or leave out --data")
	}
	db, err := sqldb.OpenReader(ctx, filepath.Join(c.data, databaseFile))
	if err != nil {
		return clip.Deps{}, nil, fmt.Errorf("%w; name the data folder of the server with --data, or leave it out", err)
	}
	show, err := db.Show(ctx, rec.Show())
	if err != nil {
		if errs.KindOf(err) == errs.NotFound {
			err = fmt.Errorf("the database in %s knows no %s: name the data folder of its server with --data, or leave it out", c.data, rec.Show())
		}
		return clip.Deps{}, nil, errors.Join(err, db.Close())
	}
	timeline := overlay.NewTimeline(db, slog.New(slog.DiscardHandler), overlay.NewMetrics(prometheus.NewRegistry()))
	edits, err := edit.New(edit.Config{}, edit.Deps{Store: db, Timeline: timeline, Recordings: onlyRecording{rec}})
	if err != nil {
		return clip.Deps{}, nil, errors.Join(err, db.Close())
	}
	return clip.Deps{
		Shows: func(context.Context, string) (clip.Show, error) {
			return clip.Show{ID: show.ID, RoomID: show.RoomID, StoreID: show.StoreID, Title: show.Title, Epochs: show.Epochs}, nil
		},
		Timeline: timeline, Chapters: edits.Chapters, Link: (&server{config: c.config}).clipLink,
	}, func() { _ = db.Close() }, nil // it was only read
}

// onlyRecording tells what there is of the one recording.
type onlyRecording struct{ *replay.Recording }

func (r onlyRecording) Source(string) (edit.Source, error) {
	return edit.Source{Segments: r.Segments(), Duration: r.Duration(), Ended: r.Ended()}, nil
}
