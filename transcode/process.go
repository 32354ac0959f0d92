package transcode

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// process is one running ffmpeg: a stream goes into in, and streams come out of outs.
type process struct {
	cmd    *exec.Cmd
	in     *os.File
	outs   []*os.File
	errors tail
	ending sync.Once
}

// pipeSize is asked for between the processes, so that a key picture is one hand-over.
const pipeSize = 1 << 20

// start runs a program in a process group of its own; its outputs are the files 3, 4, ... nice lowers its priority.
func start(path string, args []string, outputs, nice int) (_ *process, err error) {
	command := append([]string{path}, args...)
	if program, err := exec.LookPath("nice"); err == nil && nice > 0 {
		command = slices.Concat([]string{program, "-n", strconv.Itoa(nice)}, command)
	}
	p := &process{cmd: exec.Command(command[0], command[1:]...)} //nolint:noctx // its owner ends it by kill
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
		if err != nil {
			p.closeFiles()
		}
	}()
	stdin, in, err := pipe()
	if err != nil {
		return nil, err
	}
	theirs, p.in = append(theirs, stdin), in
	for range outputs {
		out, stdout, err := pipe()
		if err != nil {
			return nil, err
		}
		theirs, p.outs = append(theirs, stdout), append(p.outs, out)
	}
	p.cmd.Stdin, p.cmd.ExtraFiles, p.cmd.Stderr = stdin, theirs[1:], &p.errors
	p.cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	return p, p.cmd.Start()
}

func pipe() (r, w *os.File, err error) {
	if r, w, err = os.Pipe(); err == nil {
		growPipe(w)
	}
	return r, w, err
}

// kill ends the process and whatever it started. What is in its pipes can still be read.
func (p *process) kill() {
	p.ending.Do(func() { _ = unix.Kill(-p.cmd.Process.Pid, unix.SIGKILL) })
}

// wait waits for the end of the process, which must have been killed or its input closed, and says why it ended: nil if
// it ended well.
func (p *process) wait() error {
	err := p.cmd.Wait()
	p.ending.Do(func() {}) // the number may belong to another from now on
	p.closeFiles()
	var exit *exec.ExitError
	switch said := p.errors.String(); {
	case err == nil:
		return nil
	case said != "":
		return errors.New("ffmpeg: " + said)
	case errors.As(err, &exit):
		return fmt.Errorf("ffmpeg ended without a word: %s", exit.ProcessState)
	}
	return err
}

// cpu is the processor time that the process took, once wait has returned.
func (p *process) cpu() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

func (p *process) closeFiles() {
	if p.in != nil {
		p.in.Close()
	}
	for _, f := range p.outs {
		f.Close()
	}
}
