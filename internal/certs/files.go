package certs

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// fileKeeper serves a certificate from files, and the new one when they change. A pair that does not fit together, as
// between the two writes of a renewal, leaves the old one in use.
type fileKeeper struct {
	cert, key string
	log       *slog.Logger
	metrics   *Metrics
	loaded    atomic.Pointer[tls.Certificate]

	// tend's.
	seen   [2]stamp // of the files when they were last read
	failed string   // the last complaint, so that it is said once
}

// stamp tells whether a file changed. A name that links to another file shows that file's.
type stamp struct {
	modified time.Time
	size     int64
	inode    os.FileInfo
}

func openFiles(cert, key string, log *slog.Logger, m *Metrics) (*fileKeeper, error) {
	k := &fileKeeper{cert: cert, key: key, log: log, metrics: m}
	k.seen = k.stamps()
	if err := k.load(); err != nil {
		return nil, errs.As(errs.Invalid, "certs.Open", err, "the certificate %s and its key %s cannot be used", cert, key)
	}
	return k, nil
}

func (k *fileKeeper) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return k.loaded.Load(), nil
}

func (k *fileKeeper) tend(time.Time) {
	now := k.stamps()
	if now[0].same(k.seen[0]) && now[1].same(k.seen[1]) {
		return
	}
	if err := k.load(); err != nil {
		if err.Error() != k.failed { // looked at again and again until it fits
			k.failed = err.Error()
			k.metrics.failures.Inc()
			k.log.Error("changed certificate files cannot be used; the old certificate stays", "cert", k.cert, "key", k.key, "error", err)
		}
		return
	}
	k.seen, k.failed = now, ""
	k.log.Info("certificate loaded anew", "cert", k.cert, "not_after", k.expiry().UTC().Format(time.RFC3339))
}

func (k *fileKeeper) expiry() time.Time { return k.loaded.Load().Leaf.NotAfter }

func (k *fileKeeper) load() error {
	cert, err := tls.LoadX509KeyPair(k.cert, k.key)
	if err != nil {
		return err
	}
	if cert.Leaf == nil {
		return errors.New("the first certificate cannot be parsed")
	}
	k.loaded.Store(&cert)
	k.metrics.changed.Inc()
	return nil
}

func (k *fileKeeper) stamps() (s [2]stamp) {
	for i, name := range []string{k.cert, k.key} {
		if info, err := os.Stat(name); err == nil {
			s[i] = stamp{info.ModTime(), info.Size(), info}
		}
	}
	return s
}

func (s stamp) same(o stamp) bool {
	return s.modified.Equal(o.modified) && s.size == o.size && os.SameFile(s.inode, o.inode)
}
