package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	callTimeout = 10 * time.Second // of one request to WeChat
	maxAnswer   = 1 << 20          // bytes; real ones have some hundred
)

// Client calls the server API for one mini-program. Safe for concurrent use.
type Client struct {
	cfg    Config
	client *http.Client
	now    func() time.Time
	flight singleflight.Group
	token  cachedToken
}

// New makes a Client. A nil client stands for one of its own; each call ends after 10 s whatever its client allows.
func New(cfg Config, client *http.Client) *Client {
	if client == nil {
		client = &http.Client{}
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL
	}
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	return &Client{cfg: cfg, client: client, now: time.Now}
}

// AppID is the mini-program's.
func (c *Client) AppID() string { return c.cfg.AppID }

// APIError is a refusal of WeChat's server: an errcode other than 0. What a method returns wraps it in a kind.
type APIError struct {
	Code    int
	Message string
}

// Error renders the refusal for a log line.
func (e *APIError) Error() string { return fmt.Sprintf("wechat: errcode %d: %s", e.Code, e.Message) }

// CodeOf returns the errcode in err's chain, 0 when there is none.
func CodeOf(err error) int {
	var e *APIError
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// refusal is what every answer may be instead of what was asked for.
type refusal struct {
	Code    int    `json:"errcode"`
	Message string `json:"errmsg"`
}

// call sends a request and decodes the answer into out. An errcode becomes an *APIError.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body, out any) error {
	const op = "wechat.call"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return errs.As(errs.Internal, op, err, "")
	}
	res, err := c.client.Do(req)
	if err != nil {
		return errs.As(errs.Unavailable, op, withoutURL(err), "WeChat cannot be reached just now; try again in a moment")
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil || res.StatusCode != http.StatusOK {
		return errs.As(errs.Unavailable, op, fmt.Errorf("%s answered %s: %w", path, res.Status, withoutURL(err)), "WeChat does not answer as it should just now; try again in a moment")
	}
	return decode(answer, out)
}

func (c *Client) request(ctx context.Context, method, path string, query url.Values, body any) (*http.Request, error) {
	address := c.cfg.BaseURL + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	if body == nil {
		return http.NewRequestWithContext(ctx, method, address, nil)
	}
	var doc bytes.Buffer
	enc := json.NewEncoder(&doc)
	enc.SetEscapeHTML(false) // WeChat shows "\u0026" to people as it stands
	if err := enc.Encode(body); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, address, &doc)
	if err == nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, err
}

func decode(answer []byte, out any) error {
	const op = "wechat.decode"
	var r refusal
	if err := json.Unmarshal(answer, &r); err != nil {
		return errs.As(errs.Unavailable, op, err, "WeChat does not answer as it should just now; try again in a moment")
	}
	if r.Code != 0 {
		return &APIError{Code: r.Code, Message: r.Message}
	}
	if out == nil {
		return nil
	}
	return errs.As(errs.Unavailable, op, json.Unmarshal(answer, out), "WeChat does not answer as it should just now; try again in a moment")
}

// withoutURL drops the address from a client's error: it carries the secret or a token, and errors go to the log.
func withoutURL(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err
	}
	if err == nil {
		return errors.New("not 200")
	}
	return err
}
