package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/providers/wechat"
)

// staffConfig is how staff sign in.
func staffConfig(c configs.Staff) account.Config {
	return account.Config{SessionIdle: time.Duration(c.Session), SessionMax: time.Duration(c.SessionMax), InvitationTTL: time.Duration(c.Invitation)}
}

// wechatConfig is the mini-program of the configuration.
func wechatConfig(c configs.WeChat) wechat.Config {
	return wechat.Config{AppID: c.AppID, Secret: string(c.Secret), BaseURL: c.BaseURL}
}

// people are the parts that know staff and viewers.
type people struct {
	wechat *wechat.Client // of the operator's mini-program; nil: there is none
	staff  *account.People
	audit  *account.Audit
}

func (s *server) startPeople(context.Context) (func(context.Context) error, error) {
	if cfg := wechatConfig(s.config.WeChat); cfg.Enabled() {
		s.wechat = wechat.New(cfg, nil)
	}
	s.staff = account.NewPeople(staffConfig(s.config.Staff), s.db, nil)
	s.audit = account.NewAudit(s.db, s.log, nil)
	s.metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "vitrine_audit_missed_total", Help: "What could not be written to the audit log; the server's log has it.",
	}, func() float64 { return float64(s.audit.Missed()) }))
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
