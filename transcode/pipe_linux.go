package transcode

import (
	"os"

	"golang.org/x/sys/unix"
)

// growPipe makes room in a pipe where the system allows it; one of the usual size does too.
func growPipe(f *os.File) {
	if c, err := f.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
	}
}
