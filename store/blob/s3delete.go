package blob

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/minio/minio-go/v7"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Delete removes files; those that are not there are no error. What a versioned bucket keeps of them stays: DeleteAll
// takes that too.
func (s *S3) Delete(ctx context.Context, names ...string) error {
	objects := make([]minio.ObjectInfo, len(names))
	for i, name := range names {
		objects[i].Key = s.cfg.Prefix + name
	}
	return s.remove(ctx, objects)
}

// DeleteAll removes every file whose name begins with prefix and, where the bucket is versioned and we may, all versions
// of it. It returns nil when nothing is left.
func (s *S3) DeleteAll(ctx context.Context, prefix string) error {
	if prefix == "" {
		return errs.New(errs.Invalid, "blob.DeleteAll", "a whole bucket is never deleted")
	}
	// Whoever may not ask deletes what is visible.
	if v, err := s.client.GetBucketVersioning(ctx, s.cfg.Bucket); err == nil && (v.Enabled() || v.Suspended()) {
		if err := s.deleteAll(ctx, prefix, true); err != nil && !isRefusal(err) {
			return err
		}
	}
	return s.deleteAll(ctx, prefix, false)
}

// isRefusal reports whether the storage does not let us, or cannot, list and delete versions.
func isRefusal(err error) bool {
	var answer minio.ErrorResponse
	return errors.As(err, &answer) &&
		slices.Contains([]int{http.StatusForbidden, http.StatusNotImplemented, http.StatusMethodNotAllowed}, answer.StatusCode)
}

// deletePage is how many objects one request may delete.
const deletePage = 1000

func (s *S3) deleteAll(ctx context.Context, prefix string, versions bool) error {
	const op = "blob.DeleteAll"
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var page []minio.ObjectInfo
	for o := range s.client.ListObjectsIter(ctx, s.cfg.Bucket, minio.ListObjectsOptions{Prefix: s.cfg.Prefix + prefix, Recursive: true, WithVersions: versions}) {
		if o.Err != nil {
			return s.failure(op, o.Err)
		}
		page = append(page, minio.ObjectInfo{Key: o.Key, VersionID: o.VersionID})
		if len(page) == deletePage {
			if err := s.remove(ctx, page); err != nil {
				return err
			}
			page = page[:0]
		}
	}
	if ctx.Err() != nil {
		return s.failure(op, ctx.Err())
	}
	return s.remove(ctx, page)
}

func (s *S3) remove(ctx context.Context, objects []minio.ObjectInfo) error {
	const op = "blob.Delete"
	if len(objects) == 0 {
		return nil
	}
	if len(objects) == 1 {
		o := objects[0]
		err := s.client.RemoveObject(ctx, s.cfg.Bucket, o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID})
		if err := s.failure(op, err); errs.KindOf(err) != errs.NotFound {
			return err
		}
		return nil
	}
	queue := make(chan minio.ObjectInfo, len(objects))
	for _, o := range objects {
		queue <- o
	}
	close(queue)
	var failed error
	for r := range s.client.RemoveObjects(ctx, s.cfg.Bucket, queue, minio.RemoveObjectsOptions{}) {
		if err := s.failure(op, r.Err); err != nil && errs.KindOf(err) != errs.NotFound {
			failed = err
		}
	}
	return failed
}
