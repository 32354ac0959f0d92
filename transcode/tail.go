package transcode

import (
	"strings"
	"sync"
)

// tail keeps the last lines that a program writes. It is safe for concurrent use.
type tail struct {
	mu    sync.Mutex
	lines []string
	part  []byte
}

const (
	tailLines   = 4
	maxTailLine = 400
)

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range p {
		switch {
		case c == '\n' || c == '\r':
			t.endLocked()
		case len(t.part) < maxTailLine:
			t.part = append(t.part, c)
		}
	}
	return len(p), nil
}

func (t *tail) endLocked() {
	if line := strings.TrimSpace(string(t.part)); line != "" {
		t.lines = append(t.lines, line)
		t.lines = t.lines[max(0, len(t.lines)-tailLines):]
	}
	t.part = t.part[:0]
}

// String returns the lines in one.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endLocked()
	return strings.Join(t.lines, "; ")
}
