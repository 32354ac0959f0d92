package main

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/mirror"
	"github.com/vitrine-live/vitrine/store/blob"
)

// recordShow records a made-up show that is over and returns its id.
func recordShow(t *testing.T, dir string) string {
	t.Helper()
	archive, err := replay.Open(filepath.Join(dir, "recordings"), replay.Config{FFmpeg: "none"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	show := ids.New("show")
	r, _, err := archive.Record(show)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	r.OnEpoch(media.Epoch{Wall: began})
	r.OnInit(playlist.Init{Number: 1, Codecs: "avc1.64001f,mp4a.40.2", Width: 640, Height: 360}, []byte("init"))
	for msn := range int64(5) {
		start := media.Ticks(msn) * 2 * media.TicksPerSecond
		data := bytes.Repeat([]byte{byte(msn)}, 1000)
		part := playlist.Part{Duration: 2 * media.TicksPerSecond, Independent: true, Last: true, Size: 1000}
		seg := playlist.Segment{
			MSN: msn, Start: start, Wall: began.Add(start.Duration()), Init: 1, Independent: true, Parts: []playlist.Part{part}, Size: 1000,
			Duration: part.Duration, TargetDuration: 2, PartTarget: part.Duration,
		}
		r.OnPart(seg, part, data)
		r.OnSegment(seg)
	}
	r.End()
	if err := errors.Join(r.Close(), archive.Close()); err != nil {
		t.Fatal(err)
	}
	return show
}

// damageIndex flips a bit of a line in the middle.
func damageIndex(t *testing.T, path string) {
	t.Helper()
	lines, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines[len(lines)/2] ^= 1
	if err := os.WriteFile(path, lines, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestArchiveCommands(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("recorded"); err != nil {
		t.Fatal(err)
	}
	storage := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	t.Cleanup(storage.Close)
	dir := t.TempDir()
	show := recordShow(t, dir)
	env := []string{
		"VITRINE_DATA=" + dir, "VITRINE_ARCHIVE_S3_ENDPOINT=" + storage.URL, "VITRINE_ARCHIVE_S3_BUCKET=recorded", "VITRINE_ARCHIVE_S3_PATH_STYLE=true",
		"VITRINE_ARCHIVE_S3_REGION=us-east-1", "VITRINE_ARCHIVE_S3_ACCESS_KEY=key", "VITRINE_ARCHIVE_S3_SECRET_KEY=do-not-tell",
	}
	archive := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"archive"}, args...), env, &out, &out)
		if strings.Contains(out.String(), "do-not-tell") {
			t.Error("the secret is told")
		}
		return out.String(), err
	}
	if out, err := archive("list"); err != nil || !strings.Contains(out, show) || !strings.Contains(out, "here") || !strings.Contains(out, "10s") {
		t.Errorf("%v\n%s", err, out)
	}
	c, err := configs.Load("", env)
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := blob.NewS3(c.Archive.Blob())
	if err != nil {
		t.Fatal(err)
	}
	m, err := mirror.New(bucket, filepath.Join(dir, "recordings"), filepath.Join(dir, "mirror"), mirror.Config{}, nil, nil)
	if err == nil {
		err = m.Sync(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := archive("list"); err != nil || !strings.Contains(out, "both") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := archive("verify", "--deep"); err != nil || !strings.Contains(out, "6 files good") {
		t.Errorf("%v\n%s", err, out)
	}
	damaged := filepath.Join(dir, "recordings", show, "3.m4s")
	if err := os.WriteFile(damaged, bytes.Repeat([]byte{9}, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := archive("verify", show); !errors.Is(err, errReported) || !strings.Contains(out, "1 damaged here") || !strings.Contains(out, "3.m4s") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := archive("repair", "-q"); err != nil || !strings.Contains(out, "3.m4s is taken from the bucket") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := archive("verify", "-q"); err != nil || out != "1 recordings are well.\n" {
		t.Errorf("%v\n%s", err, out)
	}
	damageIndex(t, filepath.Join(dir, "recordings", show, "index.jsonl"))
	if out, err := archive("verify", show); !errors.Is(err, errReported) || !strings.Contains(out, "index.jsonl: 1 damaged lines") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := archive("repair"); err != nil || !strings.Contains(out, "the old one is index.jsonl.old-1") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := archive("verify", "../../etc"); err == nil {
		t.Errorf("%s", out)
	}
	if f := checkBucket(t.Context(), c.Archive); len(f) != 1 || f[0].verdict != good {
		t.Errorf("%+v", f)
	}
	c.Archive.S3.Bucket = "another"
	if f := checkBucket(t.Context(), c.Archive); len(f) != 1 || f[0].verdict != bad || !strings.Contains(f[0].text, "does not exist") {
		t.Errorf("%+v", f)
	}
}
