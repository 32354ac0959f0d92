//go:build !linux

package transcode

import "os"

func growPipe(*os.File) {}
