package blob

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/time/rate"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// S3Config names a bucket of an S3 storage. The zero value names none.
type S3Config struct {
	Endpoint string // like https://s3.eu-central-1.amazonaws.com or http://10.0.0.5:9000
	Bucket   string
	Region   string // default: the bucket is asked
	Prefix   string // of every name in the bucket, like vitrine/; default none
	// AccessKey and SecretKey; without them those of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or of the machine's role.
	AccessKey, SecretKey string
	PathStyle            bool  // the bucket stands in the path, not in the host name
	Bandwidth            int64 // bytes a second of uploads together; 0: no bound
	// Transport carries requests; nil: one with bounds on every wait.
	Transport http.RoundTripper
}

// Enabled reports whether a bucket is named.
func (c S3Config) Enabled() bool { return c.Endpoint != "" || c.Bucket != "" }

// Validate returns an Invalid error that names the first field out of its range, or nil.
func (c S3Config) Validate() error {
	const op = "blob.S3Config"
	u, err := url.Parse(c.Endpoint)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "":
		return errs.Field(op, "endpoint", "must be like https://s3.eu-central-1.amazonaws.com or http://10.0.0.5:9000")
	case len(c.Bucket) < 3 || len(c.Bucket) > 63 || strings.Trim(c.Bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "":
		return errs.Field(op, "bucket", "%q is no name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens", c.Bucket)
	case strings.HasPrefix(c.Prefix, "/") || strings.Contains(c.Prefix, "..") || strings.Contains(c.Prefix, "//") || len(c.Prefix) > 200:
		return errs.Field(op, "prefix", "must be like vitrine/, got %q", c.Prefix)
	case (c.AccessKey == "") != (c.SecretKey == ""):
		return errs.Field(op, "secret_key", "must be set together with access_key, or neither of them")
	case c.Bandwidth != 0 && c.Bandwidth < leastBandwidth:
		return errs.Field(op, "bandwidth", "%d bytes a second are too few for one stream; at least %d, or 0 for no bound", c.Bandwidth, leastBandwidth)
	}
	return nil
}

const leastBandwidth = 64 << 10

// S3 keeps files in a bucket by names with slashes. What is stored carries its CRC-32C, and the storage checks the MD5 of
// what it receives. Errors are Unavailable or Exhausted with words for the operator, but for NotFound: the file is not
// there. Safe for concurrent use.
type S3 struct {
	cfg    S3Config
	client *minio.Client
	core   minio.Core
	limit  *rate.Limiter // nil: none
}

// NewS3 asks nobody: use Probe to see whether the bucket answers. Invalid: the configuration.
func NewS3(cfg S3Config) (*S3, error) {
	const op = "blob.NewS3"
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	u, err := url.Parse(cfg.Endpoint)
	if err != nil {
		return nil, errs.As(errs.Invalid, op, err, "the endpoint cannot be read")
	}
	if cfg.Transport == nil {
		cfg.Transport = s3Transport()
	}
	if cfg.Prefix != "" && !strings.HasSuffix(cfg.Prefix, "/") {
		cfg.Prefix += "/"
	}
	options := &minio.Options{
		Creds: s3Credentials(cfg), Secure: u.Scheme == "https", Transport: cfg.Transport, Region: cfg.Region,
		MaxRetries: 1, // whoever uploads knows better when to try again
	}
	if cfg.PathStyle {
		options.BucketLookup = minio.BucketLookupPath
	}
	client, err := minio.New(u.Host, options)
	if err != nil {
		return nil, errs.As(errs.Invalid, op, err, "the endpoint %s cannot be used", cfg.Endpoint)
	}
	client.SetAppInfo("vitrine", "1")
	s := &S3{cfg: cfg, client: client, core: minio.Core{Client: client}}
	if cfg.Bandwidth > 0 {
		s.limit = rate.NewLimiter(rate.Limit(cfg.Bandwidth), max(int(cfg.Bandwidth/4), leastBandwidth))
	}
	return s, nil
}

func s3Credentials(cfg S3Config) *credentials.Credentials {
	if cfg.AccessKey != "" {
		return credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, "")
	}
	return credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.IAM{}})
}

// s3Transport bounds every wait but that for a body, which its context bounds.
func s3Transport() http.RoundTripper {
	return &http.Transport{
		Proxy:        http.ProxyFromEnvironment,
		DialContext:  (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConns: 64, MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute, ExpectContinueTimeout: 10 * time.Second,
		DisableCompression: true, // media is; and ranges must stay those of the object
	}
}

// String names the bucket for the log.
func (s *S3) String() string { return s.cfg.Endpoint + "/" + s.cfg.Bucket + "/" + s.cfg.Prefix }

// crcKey is the metadata that carries the CRC-32C, which every storage keeps, other than checksums of its own.
const crcKey = "Crc32c"

// Content is what can be uploaded: it may be read more than once.
type Content = interface {
	io.ReadSeeker
	io.ReaderAt
}

// Upload stores size bytes of r, from its beginning, under a name; what was there is replaced once all is there. crc is
// their CRC-32C. What it takes is within the bandwidth of the configuration.
func (s *S3) Upload(ctx context.Context, name string, r Content, size int64, crc uint32) error {
	options := minio.PutObjectOptions{
		ContentType: contentType(name), SendContentMd5: true, DisableContentSha256: true, DisableMultipart: true,
		UserMetadata: map[string]string{crcKey: fmt.Sprintf("%08x", crc)},
	}
	if s.limit != nil {
		options.Progress = pace{ctx, s.limit}
	}
	_, err := s.client.PutObject(ctx, s.cfg.Bucket, s.cfg.Prefix+name, r, size, options)
	return s.failure("blob.Upload", err)
}

// pace slows an upload down: it is told of every piece before the next one is read.
type pace struct {
	ctx   context.Context //nolint:containedctx // of the one upload
	limit *rate.Limiter
}

func (p pace) Read(b []byte) (int, error) {
	for left := len(b); left > 0; {
		n := min(left, p.limit.Burst())
		if err := p.limit.WaitN(p.ctx, n); err != nil {
			return 0, err
		}
		left -= n
	}
	return len(b), nil
}

// Download opens a file; close it. crc is the CRC-32C that it was stored with; known is false when it carries none.
func (s *S3) Download(ctx context.Context, name string) (body io.ReadCloser, size int64, crc uint32, known bool, err error) {
	body, info, _, err := s.core.GetObject(ctx, s.cfg.Bucket, s.cfg.Prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, 0, false, s.failure("blob.Download", err)
	}
	crc, known = storedCRC(info)
	return body, info.Size, crc, known, nil
}

// Stat tells the size and the CRC-32C of a file, as Download does.
func (s *S3) Stat(ctx context.Context, name string) (size int64, crc uint32, known bool, err error) {
	info, err := s.client.StatObject(ctx, s.cfg.Bucket, s.cfg.Prefix+name, minio.StatObjectOptions{})
	if err != nil {
		return 0, 0, false, s.failure("blob.Stat", err)
	}
	crc, known = storedCRC(info)
	return info.Size, crc, known, nil
}

func storedCRC(info minio.ObjectInfo) (crc uint32, known bool) {
	for k, v := range info.UserMetadata {
		if strings.EqualFold(k, crcKey) {
			n, err := strconv.ParseUint(v, 16, 32)
			return uint32(n), err == nil
		}
	}
	return 0, false
}

// Walk calls fn with every file whose name begins with prefix, in the order of names, until it fails. etag is the MD5 in
// hexadecimal digits, unless the storage encrypts with keys of its own.
func (s *S3) Walk(ctx context.Context, prefix string, fn func(name string, size int64, etag string) error) error {
	const op = "blob.Walk"
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing
	for o := range s.client.ListObjectsIter(ctx, s.cfg.Bucket, minio.ListObjectsOptions{Prefix: s.cfg.Prefix + prefix, Recursive: true}) {
		if o.Err != nil {
			return s.failure(op, o.Err)
		}
		if err := fn(strings.TrimPrefix(o.Key, s.cfg.Prefix), o.Size, strings.Trim(o.ETag, `"`)); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return s.failure(op, ctx.Err())
	}
	return nil
}

// Folders calls fn with what stands in names between prefix and the next slash, each once, until it fails.
func (s *S3) Folders(ctx context.Context, prefix string, fn func(name string) error) error {
	const op = "blob.Folders"
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for o := range s.client.ListObjectsIter(ctx, s.cfg.Bucket, minio.ListObjectsOptions{Prefix: s.cfg.Prefix + prefix}) {
		if o.Err != nil {
			return s.failure(op, o.Err)
		}
		name, isFolder := strings.CutSuffix(strings.TrimPrefix(o.Key, s.cfg.Prefix+prefix), "/")
		if !isFolder {
			continue
		}
		if err := fn(name); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return s.failure(op, ctx.Err())
	}
	return nil
}

func contentType(name string) string {
	switch _, ext, _ := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], "."); ext {
	case "m4s", "mp4":
		return "video/mp4"
	case "jpg":
		return "image/jpeg"
	case "png":
		return "image/png"
	case "webp":
		return "image/webp"
	case "json":
		return "application/json"
	case "vtt":
		return "text/vtt"
	default:
		return "application/octet-stream"
	}
}
