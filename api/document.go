package api

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"net/http"
	"sync"
)

// document is a text that many ask for. Safe for concurrent use.
type document struct {
	typ, etag string
	body      []byte
	zip       func() []byte // body compressed, once
}

func newDocument(typ string, body []byte) *document {
	return &document{
		typ: typ, body: body, etag: fmt.Sprintf(`W/"%08x-%d"`, crc32.ChecksumIEEE(body), len(body)),
		zip: sync.OnceValue(func() []byte { return zipped(body) }),
	}
}

func zipped(b []byte) []byte {
	var z bytes.Buffer
	gz := gzip.NewWriter(&z)
	_, _ = gz.Write(b) // a buffer does not fail
	_ = gz.Close()
	return z.Bytes()
}

// size is about how many bytes it takes, compressed too.
func (d *document) size() int64 { return int64(len(d.body)+len(d.body)/4) + 512 }

// serve answers with the document, which caches must check again, compressed where the client takes it.
func (d *document) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", d.typ)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", d.etag)
	if r.Header.Get("If-None-Match") == d.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	b := d.body
	if gzipAccepted(r) {
		h.Set("Content-Encoding", "gzip")
		b = d.zip()
	}
	h.Set("Content-Length", fmt.Sprint(len(b)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(b) // the client is gone when this fails
	}
}
