package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/api"
)

// connect finds out where the server is and with what to ask.
func (c *clipCommand) connect() error {
	c.client = clipClient{base: strings.TrimSuffix(c.server, "/"), token: c.token}
	if c.server == "" {
		c.client.base = "http://" + reachable(c.config.HTTP.Addr)
	}
	u, err := url.Parse(c.client.base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is no address of a server: --server takes one as https://live.example.com", c.server)
	}
	for _, kv := range c.env {
		if v, ok := strings.CutPrefix(kv, "VITRINE_TOKEN="); ok && c.client.token == "" {
			c.client.token = v
		}
	}
	if c.client.token != "" {
		return nil
	}
	if c.server != "" && c.data == "" && !loopback(u.Hostname()) { // another server is not told the token of this one
		return fmt.Errorf("%s wants a token: give one with --token or $VITRINE_TOKEN", c.client.base)
	}
	b, err := os.ReadFile(filepath.Join(c.config.Data, "admin.token"))
	if err != nil {
		return fmt.Errorf("there is no token in %s: name the server's folder with --data, or give one with --token or $VITRINE_TOKEN", c.config.Data)
	}
	c.client.token = strings.TrimSpace(string(b))
	return nil
}

// reachable is how this machine reaches an address that is listened on.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// clipClient asks a server for clips.
type clipClient struct{ base, token string }

// clipAskFor is how long a call may take that makes clips: it is carried out although the person stops waiting, so that
// what it made is known and can be cancelled.
const clipAskFor = 30 * time.Second

func (c *clipClient) create(ctx context.Context, show string, in api.ClipInput) (out api.Clip, err error) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), clipAskFor)
	defer stop()
	err = c.ask(ctx, http.MethodPost, "/api/v1/shows/"+url.PathEscape(show)+"/clips", in, &out)
	return out, err
}

func (c *clipClient) createAll(ctx context.Context, show string, in api.ChapterClipsInput) (out api.ClipBatch, err error) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), clipAskFor)
	defer stop()
	err = c.ask(ctx, http.MethodPost, "/api/v1/shows/"+url.PathEscape(show)+"/chapter-clips", in, &out)
	return out, err
}

func (c *clipClient) get(ctx context.Context, show, id string) (out api.Clip, err error) {
	err = c.ask(ctx, http.MethodGet, "/api/v1/shows/"+url.PathEscape(show)+"/clips/"+id, nil, &out)
	return out, err
}

func (c *clipClient) cancel(ctx context.Context, show, id string) error {
	return c.ask(ctx, http.MethodPost, "/api/v1/shows/"+url.PathEscape(show)+"/clips/"+id+"/cancel", nil, nil)
}

func (c *clipClient) list(ctx context.Context, show, after string) (out api.Page[api.Clip], err error) {
	err = c.ask(ctx, http.MethodGet, "/api/v1/shows/"+url.PathEscape(show)+"/clips?limit=200&after="+url.QueryEscape(after), nil, &out)
	return out, err
}

// ask sends in as JSON, nil for nothing, and decodes the answer into out.
func (c *clipClient) ask(ctx context.Context, method, path string, in, out any) error {
	body, err := c.open(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return fmt.Errorf("what answers at %s is no vitrine, or one of another version: %w", c.base, err)
	}
	return nil
}

// open sends a request and returns the body of a good answer; of another one its words are the error.
func (c *clipClient) open(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	var doc io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		doc = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, doc)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		if cause := ctx.Err(); errors.Is(cause, context.Canceled) {
			return nil, cause
		}
		return nil, fmt.Errorf("the server does not answer at %s (is it running? --server names another, and --recording needs none): %w", c.base, err)
	}
	if answer.StatusCode < 300 {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	return nil, refused(answer)
}

// refusal is an answer of the server that says no.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

func isStatus(err error, status int) bool {
	var r *refusal
	return errors.As(err, &r) && r.status == status
}

// hints are what can be done about answers that a person cannot put right by asking otherwise.
var hints = map[int]string{
	http.StatusUnauthorized:       "give another token with --token or $VITRINE_TOKEN, or name the server's folder with --data",
	http.StatusForbidden:          "the token needs the scopes replay:write and rooms:read, of the show's store",
	http.StatusServiceUnavailable: "try again in a moment",
}

// refused reads why the server said no.
func refused(answer *http.Response) error {
	var problem struct {
		Detail string `json:"detail"`
		Errors []struct {
			Message  string `json:"message"`
			Location string `json:"location"`
		} `json:"errors"`
	}
	text := "the server answered " + answer.Status
	if err := json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&problem); err == nil && problem.Detail != "" {
		text = problem.Detail
		for _, e := range problem.Errors {
			said := e.Message
			if flag, ok := clipFlags[strings.TrimPrefix(e.Location, "body.")]; ok {
				said = flag + ": " + said
			}
			if e.Message == problem.Detail {
				text = said
			} else {
				text += "; " + said
			}
		}
	}
	if hint := hints[answer.StatusCode]; hint != "" {
		text += "; " + hint
	}
	return &refusal{answer.StatusCode, text}
}

// clipFlags are the flags by the names of what they say to the server.
var clipFlags = map[string]string{"from_ms": "--from", "to_ms": "--to", "chapter": "--chapter", "title": "--title", "kind": "--kind"}
