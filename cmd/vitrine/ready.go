package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/vitrine-live/vitrine/internal/atomicfile"
)

// readyFile is what --ready-file holds once everything listens.
type readyFile struct {
	HTTP           string `json:"http"`
	HTTPS          string `json:"https,omitempty"`
	RTMP           string `json:"rtmp"`
	RTMPS          string `json:"rtmps,omitempty"`
	WebRTC         string `json:"webrtc,omitempty"` // UDP
	AdminTokenFile string `json:"admin_token_file"`
	Demo           *demo  `json:"demo,omitempty"`
}

// announceReady writes the ready file whole or not at all, and returns what takes it away again.
func announceReady(path string, r readyFile) (remove func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.Write(path, append(b, '\n'), 0o644); err != nil {
		return nil, fmt.Errorf("cannot write the ready file: %w", err)
	}
	return func() { _ = os.Remove(path) }, nil
}
