package configs

import (
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay/mirror"
	"github.com/vitrine-live/vitrine/replay/retention"
	"github.com/vitrine-live/vitrine/store/blob"
)

// Archive says how long recordings are kept, and where copies of them are.
type Archive struct {
	Retention int      `yaml:"retention"` // days
	S3        S3       `yaml:"s3"`
	Parallel  int      `yaml:"parallel"`
	Bandwidth Size     `yaml:"bandwidth"` // bytes a second
	KeepLocal Duration `yaml:"keep_local"`
	MaxLocal  Size     `yaml:"max_local"`
}

// S3 names a bucket.
type S3 struct {
	Endpoint  string `yaml:"endpoint"`
	Bucket    string `yaml:"bucket"`
	Region    string `yaml:"region"`
	Prefix    string `yaml:"prefix"`
	AccessKey string `yaml:"access_key"`
	SecretKey Secret `yaml:"secret_key"`
	PathStyle bool   `yaml:"path_style"`
}

func defaultArchive() Archive { return Archive{Parallel: 4} }

// Blob is what the bucket takes.
func (a Archive) Blob() blob.S3Config {
	return blob.S3Config{
		Endpoint: a.S3.Endpoint, Bucket: a.S3.Bucket, Region: a.S3.Region, Prefix: a.S3.Prefix, AccessKey: a.S3.AccessKey,
		SecretKey: string(a.S3.SecretKey), PathStyle: a.S3.PathStyle, Bandwidth: int64(a.Bandwidth),
	}
}

// Mirror is what the mirror takes; reserve is the free space that recording leaves on the disk.
func (a Archive) Mirror(reserve Size) mirror.Config {
	return mirror.Config{
		Parallel: a.Parallel, KeepLocal: time.Duration(a.KeepLocal), MaxLocal: int64(a.MaxLocal), MinFree: 2 * int64(reserve), Reserve: int64(reserve),
	}
}

func (a Archive) validate(check func(bool, string, string, ...any)) {
	if err := (retention.Config{Days: a.Retention}).Validate(); err != nil {
		check(false, "archive.retention", "%s", errs.MessageOf(err))
	}
	if err := a.Mirror(0).Validate(); err != nil {
		check(false, "archive."+errs.FieldOf(err), "%s", errs.MessageOf(err))
	}
	check(a.Parallel > 0, "archive.parallel", "must be at least 1")
	if c := a.Blob(); c.Enabled() {
		if err := c.Validate(); err != nil {
			key := "archive.s3."
			if errs.FieldOf(err) == "bandwidth" {
				key = "archive."
			}
			check(false, key+errs.FieldOf(err), "%s", errs.MessageOf(err))
		}
	}
}
