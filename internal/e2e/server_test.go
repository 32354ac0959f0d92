package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is the command under test, running.
type server struct {
	*process
	data, http, rtmp, token string
	webrtc                  string // UDP
	https, rtmps            string // with VITRINE_TLS_MODE
	env                     []string
}

// serve starts the command on a data folder of its own and free ports. env are VITRINE_ settings, NAME=value.
func serve(t *testing.T, env ...string) *server {
	t.Helper()
	s := &server{data: filepath.Join(t.TempDir(), "data"), http: "127.0.0.1:0", rtmp: "127.0.0.1:0", env: env}
	s.start(t)
	return s
}

// start starts the command, again on the same addresses and data when it ran before.
func (s *server) start(t *testing.T) {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready.json")
	cmd := exec.Command(command, "serve", "--data", s.data, "--http", s.http, "--rtmp", s.rtmp, "--webrtc", "127.0.0.1:0", "--ready-file", ready)
	cmd.Env = append(append(os.Environ(), "VITRINE_WEBRTC_LOOPBACK=true"), s.env...)
	s.process = start(t, "vitrine", cmd)
	var b []byte
	eventually(t, 15*time.Second, "the ready file", func() (there bool) {
		select {
		case <-s.done:
			t.Fatalf("the server ended: %v", s.err)
		default:
		}
		b, _ = os.ReadFile(ready)
		return len(b) > 0
	})
	var r struct {
		HTTP  string `json:"http"`
		RTMP  string `json:"rtmp"`
		UDP   string `json:"webrtc"`
		HTTPS string `json:"https"`
		RTMPS string `json:"rtmps"`
		Token string `json:"admin_token_file"`
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatalf("ready file %s: %v", b, err)
	}
	token, err := os.ReadFile(r.Token)
	if err != nil {
		t.Fatal(err)
	}
	s.https, s.rtmps = r.HTTPS, r.RTMPS
	s.http, s.rtmp, s.webrtc, s.token = r.HTTP, r.RTMP, r.UDP, strings.TrimSpace(string(token))
}

// stop asks it to end and wants exit code 0.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.signal(syscall.SIGTERM)
	if code := s.wait(t, 15*time.Second); code != 0 {
		t.Errorf("the server ended with %d", code)
	}
}

func (s *server) url(path string) string { return "http://" + s.http + path }

var httpClient = &http.Client{Timeout: 30 * time.Second}

// get returns status and body.
func (s *server) get(t *testing.T, path string) (int, []byte) {
	t.Helper()
	res, err := httpClient.Get(s.url(path))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body
}

// call calls the API with the admin token and wants a status of the 200s. out may be nil.
func (s *server) call(t *testing.T, method, path string, in, out any) {
	t.Helper()
	if err := s.try(method, path, in, out); err != nil {
		t.Fatal(err)
	}
}

func (s *server) try(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, s.url(path), body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := httpClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return errors.New(method + " " + path + ": " + res.Status + ": " + string(b))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}
