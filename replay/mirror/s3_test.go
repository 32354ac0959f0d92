package mirror_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/vitrine-live/vitrine/store/blob"
)

const testBucket = "recorded"

// storage is an S3 storage whose requests can be made to fail.
type storage struct {
	url     string
	backend *s3mem.Backend

	mu     sync.Mutex
	hook   func(w http.ResponseWriter, r *http.Request, next http.Handler) // nil: next is asked
	fault  func(r *http.Request) (status int, code string)                 // 0: none; -1: the connection breaks
	counts map[string]int                                                  // by method, and for PUT by method and name
}

func newStorage(t testing.TB) *storage {
	t.Helper()
	st := &storage{backend: s3mem.New(), counts: map[string]int{}}
	if err := st.backend.CreateBucket(testBucket); err != nil {
		t.Fatal(err)
	}
	fake := gofakes3.New(st.backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status, code := st.meet(r); status != 0 {
			fail(w, r, status, code)
			return
		}
		st.mu.Lock()
		hook := st.hook
		st.mu.Unlock()
		if hook != nil {
			hook(w, r, fake)
			return
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	st.url = srv.URL
	return st
}

func (st *storage) meet(r *http.Request) (status int, code string) {
	st.mu.Lock()
	fault := st.fault
	st.counts[r.Method]++
	st.counts[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/"+testBucket+"/")]++
	st.mu.Unlock()
	if fault == nil {
		return 0, ""
	}
	return fault(r)
}

func fail(w http.ResponseWriter, r *http.Request, status int, code string) {
	if status < 0 {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>made up</Message></Error>", code)
}

// failWith makes every request fail from now on; with 0 none.
func (st *storage) failWith(status int, code string) {
	st.failIf(func(*http.Request) (int, string) { return status, code })
}

func (st *storage) failIf(fault func(*http.Request) (int, string)) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.fault = fault
}

func (st *storage) count(what string) int {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.counts[what]
}

func (st *storage) forget() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.counts = map[string]int{}
}

// client is a bucket of the storage.
func (st *storage) client(t testing.TB) *blob.S3 {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	b, err := blob.NewS3(bucketAt(st.url, "key", tr))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func bucketAt(url, key string, tr *http.Transport) blob.S3Config {
	return blob.S3Config{
		Endpoint: url, Bucket: testBucket, Region: "us-east-1", Prefix: "shop", AccessKey: key, SecretKey: "secret", PathStyle: true, Transport: tr,
	}
}

func names(t testing.TB, b *blob.S3, prefix string) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	err := b.Walk(context.Background(), prefix, func(name string, size int64, _ string) error {
		found[strings.TrimPrefix(name, prefix)] = size
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
