package main

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/mirror"
	"github.com/vitrine-live/vitrine/replay/retention"
	"github.com/vitrine-live/vitrine/store/blob"
)

// mirrorParts are what keeps recordings elsewhere, and not for ever.
type mirrorParts struct {
	mirror    *mirror.Mirror // nil: recordings are on this disk alone
	retention *retention.Service
}

// openMirror makes what the archive asks for files that are not on this disk. The bucket need not answer.
func (s *server) openMirror(context.Context) (func(context.Context) error, error) {
	c := s.config.Archive.Blob()
	if !c.Enabled() || !s.config.Recording.Enabled {
		return nil, nil
	}
	bucket, err := blob.NewS3(c)
	if err != nil {
		return nil, err
	}
	s.mirror, err = mirror.New(bucket, s.data.file("recordings"), s.data.file("mirror"), s.config.Archive.Mirror(s.config.Recording.Reserve),
		s.log, mirror.NewMetrics(s.metrics))
	return nil, err
}

// copies is nil where there are none.
func (s *server) copies() replay.Copies {
	if s.mirror == nil {
		return nil
	}
	return s.mirror
}

// startMirroring copies recordings until the stop.
func (s *server) startMirroring(ctx context.Context) (func(context.Context) error, error) {
	if s.mirror == nil {
		return nil, nil
	}
	return s.background(ctx, func(ctx context.Context) error {
		s.mirror.Run(ctx, s.archive)
		return nil
	}), nil
}

// startRetention deletes recordings that are not kept longer until the stop.
func (s *server) startRetention(ctx context.Context) (_ func(context.Context) error, err error) {
	deps := retention.Deps{Store: s.db, Log: s.log, Registry: s.metrics}
	if s.archive != nil {
		deps.Archive = s.archive
	}
	if s.retention, err = retention.New(retention.Config{Days: s.config.Archive.Retention}, deps); err != nil {
		return nil, err
	}
	return s.background(ctx, func(ctx context.Context) error {
		s.retention.Run(ctx)
		return nil
	}), nil
}

// checkBucket stores a small file, reads it back and deletes it.
func checkBucket(ctx context.Context, c configs.Archive) []finding {
	if !c.Blob().Enabled() {
		return nil
	}
	f := finding{name: "bucket", hint: "recordings stay on this disk meanwhile and are copied later; check archive.s3"}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	bucket, err := blob.NewS3(c.Blob())
	if err == nil {
		err = bucket.Probe(ctx)
	}
	if err != nil {
		f.verdict, f.text = bad, errs.MessageOf(err)
		return []finding{f}
	}
	f.text = bucket.String() + " takes, gives back and deletes files"
	return []finding{f}
}
