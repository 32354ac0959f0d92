package wechat

import (
	"errors"
	"net/url"
	"regexp"
)

// DefaultBaseURL is where WeChat's server API is.
const DefaultBaseURL = "https://api.weixin.qq.com"

// Config names the mini-program. The zero value is no mini-program.
type Config struct {
	AppID  string // "wx" and 16 hexadecimal digits
	Secret string // the AppSecret of the mini-program's console
	// BaseURL is where the API is, without a slash at the end; empty: DefaultBaseURL.
	BaseURL string
}

var appID = regexp.MustCompile(`^wx[0-9a-f]{16}$`)

// Validate reports what cannot work. The zero Config is good: there is no mini-program.
func (c Config) Validate() error {
	if c.AppID == "" && c.Secret == "" {
		return nil
	}
	if !appID.MatchString(c.AppID) {
		return errors.New("app_id: must be wx and 16 hexadecimal digits, as the mini-program's console shows it")
	}
	if c.Secret == "" {
		return errors.New("secret: must be the AppSecret of the mini-program")
	}
	if u, err := url.Parse(c.BaseURL); c.BaseURL != "" && (err != nil || u.Host == "" || u.RawQuery != "") {
		return errors.New("base_url: must be an address like https://api.weixin.qq.com")
	}
	return nil
}

// Enabled reports whether a mini-program is configured.
func (c Config) Enabled() bool { return c.AppID != "" }
