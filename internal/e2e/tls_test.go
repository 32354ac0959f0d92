package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// device is a browser that trusts the authority of a server and no other.
func device(t *testing.T, s *server) *http.Client {
	t.Helper()
	status, authority := s.get(t, "/trust/ca.pem")
	roots := x509.NewCertPool()
	if status != http.StatusOK || !roots.AppendCertsFromPEM(authority) {
		t.Fatalf("/trust/ca.pem: %d %s", status, authority)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func fetch(t *testing.T, c *http.Client, url string) (res *http.Response, body []byte) {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	return res, body
}

// With tls.mode local a shop's own network has secure pages and RTMPS, and what a device came to trust outlives restarts.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := serve(t, "VITRINE_TLS_MODE=local", "VITRINE_TLS_ADDR=127.0.0.1:0", "VITRINE_TLS_RTMPS_ADDR=127.0.0.1:0")
	r := s.newRoom(t)
	phone := device(t, s)
	page, overHTTPS := fetch(t, phone, "https://"+s.https+"/r/"+r.ID)
	if _, overHTTP := s.get(t, "/r/"+r.ID); page.StatusCode != http.StatusOK || page.ProtoMajor != 2 || !bytes.Equal(overHTTP, overHTTPS) {
		t.Errorf("the room's page over HTTPS: %s over %s, %d bytes; over HTTP %d bytes", page.Status, page.Proto, len(overHTTPS), len(overHTTP))
	}
	if _, err := http.Get("https://" + s.https + "/healthz"); err == nil {
		t.Error("a device that was told nothing trusts the server")
	}
	if status, body := s.get(t, "/trust?lang=en"); status != http.StatusOK || !strings.Contains(string(body), "/trust/ca.crt") {
		t.Errorf("/trust: %d %s", status, body)
	}

	var told struct {
		Server string `json:"rtmps_server"`
	}
	s.call(t, http.MethodGet, "/api/v1/rooms/"+r.ID, nil, &told)
	if want := "rtmps://" + s.rtmps + "/live"; told.Server != want {
		t.Errorf("the API says %q, RTMPS is at %q", told.Server, want)
	}
	push := start(t, "ffmpeg", exec.Command("ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin", "-re",
		"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", "60",
		"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30", "-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "flv", "rtmps://"+s.rtmps+"/live/"+r.StreamKey))
	show := s.onAir(t, r.ID)
	var on struct {
		Publisher struct {
			Protocol string `json:"protocol"`
		} `json:"publisher"`
	}
	s.call(t, http.MethodGet, "/api/v1/rooms/"+r.ID, nil, &on)
	if on.Publisher.Protocol != "rtmps" {
		t.Errorf("the publisher speaks %q", on.Publisher.Protocol)
	}
	eventually(t, 20*time.Second, "a segment over HTTPS", func() bool {
		_, playlist := fetch(t, phone, "https://"+s.https+"/live/"+r.ID+"/"+show+"/main.m3u8")
		return bytes.Contains(playlist, []byte("#EXTINF"))
	})
	push.kill()
	s.stop(t)
	s.start(t)
	if res, _ := fetch(t, phone, "https://"+s.https+"/healthz"); res.StatusCode != http.StatusOK {
		t.Errorf("after a restart: %s", res.Status)
	}
}
