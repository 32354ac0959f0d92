package blob

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"hash/crc32"
	"io"
	"net"
	"net/http"

	"github.com/minio/minio-go/v7"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// failure classifies what a request ended with, in words that tell the operator what to do.
func (s *S3) failure(op string, err error) error {
	if err == nil {
		return nil
	}
	var e *errs.Error
	if errors.As(err, &e) {
		return err
	}
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		return s.refusal(op, err, answer)
	}
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errs.As(errs.Unavailable, op, err, "the storage at %s did not answer in time", s.cfg.Endpoint)
	case errors.As(err, &unknown), errors.As(err, &host):
		return errs.As(errs.Unavailable, op, err, "the certificate of %s is not trusted: check the endpoint, and the authorities of this machine", s.cfg.Endpoint)
	case errors.As(err, &dns):
		return errs.As(errs.Unavailable, op, err, "the name of %s is not found: check the endpoint and the name service", s.cfg.Endpoint)
	}
	return errs.As(errs.Unavailable, op, err, "the storage at %s does not answer: check the endpoint and the network", s.cfg.Endpoint)
}

func (s *S3) refusal(op string, err error, answer minio.ErrorResponse) error {
	text := func(kind errs.Kind, format string, args ...any) error { return errs.As(kind, op, err, format, args...) }
	switch answer.Code {
	case "NoSuchKey", "NoSuchVersion":
		return text(errs.NotFound, "the bucket has no such file")
	case "NoSuchBucket":
		return text(errs.Unavailable, "the bucket %s does not exist: make it, or correct the name, the endpoint or the region", s.cfg.Bucket)
	case "InvalidAccessKeyId", "InvalidAccessKey":
		return text(errs.Unavailable, "the storage does not know the access key: check access_key")
	case "SignatureDoesNotMatch":
		return text(errs.Unavailable, "the storage does not accept the secret key: check secret_key, the region, and that no proxy changes requests")
	case "AccessDenied", "AllAccessDisabled", "AccountProblem", "UnauthorizedAccess":
		return text(errs.Unavailable, "the storage refuses: the keys need the rights to list the bucket and to get, put and delete its objects")
	case "RequestTimeTooSkewed", "RequestExpired":
		return text(errs.Unavailable, "the clock of this machine and that of the storage differ too much: run an NTP service")
	case "ExpiredToken", "InvalidToken", "ExpiredTokenException":
		return text(errs.Unavailable, "the credentials have expired: renew them")
	case "AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException":
		return text(errs.Unavailable, "the bucket is in another region: set the region, or leave it empty")
	case "SlowDown", "SlowDownRead", "SlowDownWrite", "TooManyRequests", "RequestLimitExceeded", "Throttling", "ThrottlingException":
		return text(errs.Exhausted, "the storage asks for fewer requests: it is tried again, slower")
	case "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull", "InsufficientStorage":
		return text(errs.Unavailable, "the storage is full: make room or raise its quota")
	case "BadDigest", "InvalidDigest":
		return text(errs.Unavailable, "bytes were damaged on their way to the storage: it is tried again")
	}
	switch {
	case answer.StatusCode == http.StatusNotFound:
		return text(errs.NotFound, "the bucket has no such file")
	case answer.StatusCode == http.StatusForbidden:
		return text(errs.Unavailable, "the storage refuses (%s): check the keys and their rights", answer.Code)
	case answer.StatusCode == http.StatusTooManyRequests:
		return text(errs.Exhausted, "the storage asks for fewer requests: it is tried again, slower")
	case answer.StatusCode >= http.StatusInternalServerError:
		return text(errs.Unavailable, "the storage fails for now (%d)", answer.StatusCode)
	}
	return text(errs.Unavailable, "the storage refuses: %s (%d)", answer.Code, answer.StatusCode)
}

// Probe stores a small file, reads it back and deletes it: whatever the mirror of recordings needs.
func (s *S3) Probe(ctx context.Context) error {
	const op = "blob.Probe"
	name, content := "probe-"+ids.Secret(""), []byte("vitrine was here")
	if err := s.Upload(ctx, name, bytes.NewReader(content), int64(len(content)), crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli))); err != nil {
		return err
	}
	err := s.readBack(ctx, name, content)
	if err == nil {
		err = s.Walk(ctx, name, func(string, int64, string) error { return nil })
	}
	if deleteErr := s.DeleteAll(ctx, name); err == nil {
		err = deleteErr
	}
	return errs.Wrap(op, err)
}

func (s *S3) readBack(ctx context.Context, name string, want []byte) error {
	const op = "blob.Probe"
	body, _, _, _, err := s.Download(ctx, name)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(io.LimitReader(body, 1<<10))
	if err := errors.Join(err, body.Close()); err != nil {
		return s.failure(op, err)
	}
	if !bytes.Equal(got, want) {
		return errs.New(errs.Unavailable, op, "the storage gave other bytes back than it got: something between here and there changes them")
	}
	return nil
}
