package blob

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func newS3(t *testing.T, change ...func(*S3Config)) *S3 {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("files"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	t.Cleanup(srv.Close)
	cfg := S3Config{Endpoint: srv.URL, Bucket: "files", Region: "us-east-1", Prefix: "a/b", AccessKey: "k", SecretKey: "s", PathStyle: true}
	for _, f := range change {
		f(&cfg)
	}
	s, err := NewS3(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *S3, name, content string) {
	t.Helper()
	b := []byte(content)
	if err := s.Upload(t.Context(), name, bytes.NewReader(b), int64(len(b)), crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))); err != nil {
		t.Fatal(err)
	}
}

func listed(t *testing.T, s *S3, prefix string) (names []string) {
	t.Helper()
	if err := s.Walk(t.Context(), prefix, func(name string, _ int64, _ string) error { names = append(names, name); return nil }); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestS3(t *testing.T) {
	s, ctx := newS3(t), t.Context()
	for i := range 1100 { // more than a page
		put(t, s, fmt.Sprintf("shows/one/%04d.m4s", i), "some bytes")
	}
	put(t, s, "shows/two/poster.jpg", "")
	put(t, s, "shows/two/poster.jpg", "a picture")
	if n := len(listed(t, s, "shows/one/")); n != 1100 {
		t.Errorf("%d files", n)
	}
	var folders []string
	if err := s.Folders(ctx, "shows/", func(name string) error { folders = append(folders, name); return nil }); err != nil || fmt.Sprint(folders) != "[one two]" {
		t.Errorf("%v %v", folders, err)
	}
	body, size, crc, known, err := s.Download(ctx, "shows/two/poster.jpg")
	if err != nil || size != 9 || !known || crc != crc32.Checksum([]byte("a picture"), crc32.MakeTable(crc32.Castagnoli)) {
		t.Fatalf("%d %08x %v %v", size, crc, known, err)
	}
	if b, err := io.ReadAll(body); string(b) != "a picture" || err != nil || body.Close() != nil {
		t.Errorf("%q %v", b, err)
	}
	if _, _, _, _, err := s.Download(ctx, "shows/three"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
	if _, _, _, err := s.Stat(ctx, "shows/three"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
	if err := errors.Join(s.Delete(ctx, "shows/three"), s.Delete(ctx, "shows/three", "shows/four"), s.DeleteAll(ctx, "shows/one/"), s.DeleteAll(ctx, "shows/none/")); err != nil {
		t.Error(err)
	}
	if left := listed(t, s, ""); len(left) != 1 {
		t.Errorf("%d files are left", len(left))
	}
	if err := s.DeleteAll(ctx, ""); errs.KindOf(err) != errs.Invalid {
		t.Errorf("%v", err)
	}
	if err := s.Probe(ctx); err != nil {
		t.Error(err)
	}
}

// Where versions are kept nothing of what is deleted stays.
func TestS3DeletesVersions(t *testing.T) {
	s, ctx := newS3(t), t.Context()
	if err := s.client.EnableVersioning(ctx, "files"); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		put(t, s, "gone/index.jsonl", fmt.Sprint("version ", i))
		put(t, s, "gone/1.m4s", fmt.Sprint("version ", i))
		put(t, s, "stays/1.m4s", fmt.Sprint("version ", i))
	}
	if err := errors.Join(s.Delete(ctx, "gone/1.m4s"), s.DeleteAll(ctx, "gone/")); err != nil {
		t.Fatal(err)
	}
	left := map[string]int{}
	for o := range s.client.ListObjects(ctx, "files", minio.ListObjectsOptions{Recursive: true, WithVersions: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		left[o.Key]++
	}
	if len(left) != 1 || left["a/b/stays/1.m4s"] != 3 {
		t.Errorf("left: %v", left)
	}
}

func TestS3Config(t *testing.T) {
	good := S3Config{Endpoint: "https://s3.example.com", Bucket: "my-bucket", Prefix: "a/"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*S3Config){
		"endpoint":   func(c *S3Config) { c.Endpoint = "s3.example.com" },
		"bucket":     func(c *S3Config) { c.Bucket = "My Bucket" },
		"prefix":     func(c *S3Config) { c.Prefix = "../x" },
		"secret_key": func(c *S3Config) { c.AccessKey = "only one" },
		"bandwidth":  func(c *S3Config) { c.Bandwidth = 100 },
	} {
		c := good
		change(&c)
		if err := c.Validate(); errs.FieldOf(err) != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	s := newS3(t, func(c *S3Config) { c.Bucket = "other" })
	if err := s.Probe(t.Context()); errs.KindOf(err) != errs.Unavailable || errs.MessageOf(err) == "" {
		t.Errorf("a bucket that is not there: %v", err)
	}
}
