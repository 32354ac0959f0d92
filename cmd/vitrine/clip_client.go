package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/vitrine-live/vitrine/api"
)

// clipClient asks a server for clips.
type clipClient struct{ base, token string }

func (c *clipClient) create(ctx context.Context, show string, in api.ClipInput) (out api.Clip, err error) {
	err = c.ask(ctx, http.MethodPost, "/api/v1/shows/"+url.PathEscape(show)+"/clips", in, &out)
	return out, err
}

func (c *clipClient) createAll(ctx context.Context, show string, in api.ChapterClipsInput) (out api.ClipBatch, err error) {
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
	return json.NewDecoder(body).Decode(out)
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
		return nil, fmt.Errorf("the server does not answer at %s (is it running? --server names another): %w", c.base, err)
	}
	if answer.StatusCode < 300 {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	var problem struct {
		Detail string `json:"detail"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&problem); err != nil || problem.Detail == "" {
		return nil, fmt.Errorf("the server answered %s", answer.Status)
	}
	for _, e := range problem.Errors {
		if e.Message != problem.Detail {
			problem.Detail += "; " + e.Message
		}
	}
	return nil, fmt.Errorf("%s", problem.Detail)
}
