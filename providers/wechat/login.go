package wechat

import (
	"context"
	"net/http"
	"net/url"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Session is who a login code stands for. WeChat's session key is not kept: nothing here decrypts with it.
type Session struct {
	OpenID  string `json:"openid"`  // of the user within this mini-program
	UnionID string `json:"unionid"` // of the user within the operator's WeChat platform account; may be empty
}

// Login exchanges the code of wx.login for who it is (code2session). A code lives five minutes and works once.
// Errors: Unauthorized for a code that is wrong, used or too old; Exhausted when this user logs in too often; Forbidden
// when WeChat blocks the user; Unavailable for everything that is not about the code.
func (c *Client) Login(ctx context.Context, code string) (Session, error) {
	const op = "wechat.Login"
	if code == "" || len(code) > 512 {
		return Session{}, errs.Field(op, "code", "must be the code of wx.login")
	}
	var s Session
	err := c.call(ctx, http.MethodGet, "/sns/jscode2session", url.Values{
		"appid": {c.cfg.AppID}, "secret": {c.cfg.Secret}, "js_code": {code}, "grant_type": {"authorization_code"},
	}, nil, &s)
	if err != nil {
		return Session{}, loginRefused(op, err)
	}
	if s.OpenID == "" {
		return Session{}, errs.New(errs.Unavailable, op, "WeChat does not answer as it should just now; try again in a moment")
	}
	return s, nil
}

// loginRefused reads the errcodes of code2session.
func loginRefused(op string, err error) error {
	switch CodeOf(err) {
	case 40029, 40163: // invalid; been used
		return errs.As(errs.Unauthorized, op, err, "the login code is wrong, used or too old: call wx.login again")
	case 40226:
		return errs.As(errs.Forbidden, op, err, "WeChat has blocked this account")
	case 45011:
		return errs.As(errs.Exhausted, op, err, "too many logins in a short time; try again in a minute")
	case -1:
		return errs.As(errs.Unavailable, op, err, "WeChat is busy; try again in a moment")
	}
	return refusedUs(op, err)
}
