package main

import (
	"context"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/providers/wechat"
)

// wechatConfig is the mini-program of the configuration.
func wechatConfig(c configs.WeChat) wechat.Config {
	return wechat.Config{AppID: c.AppID, Secret: c.Secret, BaseURL: c.BaseURL}
}

// people are the parts that know staff and viewers.
type people struct {
	wechat *wechat.Client // of the operator's mini-program; nil: there is none
}

func (s *server) startPeople(context.Context) (func(context.Context) error, error) {
	if cfg := wechatConfig(s.config.WeChat); cfg.Enabled() {
		s.wechat = wechat.New(cfg, nil)
	}
	return nil, nil
}

// wechatLogin lets the users of the operator's mini-program log in, if there is one.
func (s *server) wechatLogin() *api.WeChat {
	if s.wechat == nil {
		return nil
	}
	return &api.WeChat{AppID: s.wechat.AppID(), Login: func(ctx context.Context, code string) (string, error) {
		session, err := s.wechat.Login(ctx, code)
		return session.OpenID, err
	}}
}
