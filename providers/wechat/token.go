package wechat

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// tokenMargin is how long before its end a token is replaced: no call that is under way meets the end.
const tokenMargin = 5 * time.Minute

// stale are the errcodes that say that the access token is not, or not any more, good.
var stale = []int{40001, 40014, 42001}

// cachedToken is the access token until it ends.
type cachedToken struct {
	mu    sync.Mutex
	value string
	until time.Time
}

func (t *cachedToken) get(now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !now.Before(t.until) {
		return ""
	}
	return t.value
}

func (t *cachedToken) set(value string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value, t.until = value, until
}

// drop forgets the token unless it has been replaced already.
func (t *cachedToken) drop(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == value {
		t.until = time.Time{}
	}
}

// post calls a path that wants the access token. A token that WeChat refuses is replaced once.
func (c *Client) post(ctx context.Context, path string, body, out any) error {
	token, err := c.accessToken(ctx, "")
	if err != nil {
		return err
	}
	err = c.postWith(ctx, token, path, body, out)
	if !slices.Contains(stale, CodeOf(err)) {
		return err
	}
	c.token.drop(token)
	if token, err = c.accessToken(ctx, token); err != nil {
		return err
	}
	return c.postWith(ctx, token, path, body, out)
}

func (c *Client) postWith(ctx context.Context, token, path string, body, out any) error {
	return c.call(ctx, http.MethodPost, path, url.Values{"access_token": {token}}, body, out)
}

// accessToken returns the token, asking for one when there is none; refused is one that WeChat has just called bad. All
// who wait for a token wait for the same request, which does not end with the one who happened to send it.
func (c *Client) accessToken(ctx context.Context, refused string) (string, error) {
	if token := c.token.get(c.now()); token != "" {
		return token, nil
	}
	got := c.flight.DoChan("token", func() (any, error) {
		if token := c.token.get(c.now()); token != "" {
			return token, nil
		}
		return c.fetchToken(context.WithoutCancel(ctx), refused)
	})
	select {
	case r := <-got:
		token, _ := r.Val.(string)
		return token, r.Err
	case <-ctx.Done():
		return "", errs.As(errs.Unavailable, "wechat.accessToken", context.Cause(ctx), "the request ended before WeChat answered")
	}
}

// fetchToken asks for a stable token: other than the plain kind, asking for one does not end that of another process.
// Only when WeChat hands out again what it has just refused is a new one forced, of which there are 20 a day.
func (c *Client) fetchToken(ctx context.Context, refused string) (string, error) {
	t, err := c.stableToken(ctx, false)
	if err == nil && t.Value == refused {
		t, err = c.stableToken(ctx, true)
	}
	if err != nil {
		return "", refusedUs("wechat.accessToken", err)
	}
	lasts := max(time.Duration(t.ExpiresIn)*time.Second-tokenMargin, 0)
	c.token.set(t.Value, c.now().Add(lasts))
	return t.Value, nil
}

type stableToken struct {
	Value     string `json:"access_token"`
	ExpiresIn int64  `json:"expires_in"` // seconds
}

func (c *Client) stableToken(ctx context.Context, force bool) (t stableToken, err error) {
	err = c.call(ctx, http.MethodPost, "/cgi-bin/stable_token", nil, map[string]any{
		"grant_type": "client_credential", "appid": c.cfg.AppID, "secret": c.cfg.Secret, "force_refresh": force,
	}, &t)
	if err == nil && t.Value == "" {
		err = errs.New(errs.Unavailable, "wechat.stableToken", "WeChat does not answer as it should just now; try again in a moment")
	}
	return t, err
}

// refusedUs classifies a refusal that is about the mini-program itself, not about what was asked: the operator finds the
// reason in the log.
func refusedUs(op string, err error) error {
	var refused *APIError
	if !errors.As(err, &refused) {
		return err
	}
	return errs.As(errs.Unavailable, op, err, "WeChat refuses this server's mini-program: check wechat.app_id, wechat.secret and the console's IP list")
}
