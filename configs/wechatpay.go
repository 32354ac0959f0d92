package configs

import (
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/providers/wechatpay"
)

// WeChatPay names a merchant account at WeChat Pay.
type WeChatPay struct {
	MchID          string   `yaml:"mch_id"`
	AppID          string   `yaml:"app_id"`
	APIv3Key       Secret   `yaml:"api_v3_key"`
	CertSerial     string   `yaml:"cert_serial"`
	PrivateKeyFile string   `yaml:"private_key_file"`
	PublicKeyID    string   `yaml:"public_key_id"`
	PublicKeyFile  string   `yaml:"public_key_file"`
	Methods        []string `yaml:"methods"`
	BaseURL        string   `yaml:"base_url"`
}

func defaultPayment() Payment {
	return Payment{
		Provider: "sandbox", ReconcileEvery: Duration(5 * time.Minute), ReconcileBack: Duration(72 * time.Hour),
		WeChatPay: WeChatPay{Methods: []string{"jsapi", "h5", "native"}},
	}
}

// Config is what the provider takes; publicURL is where WeChat Pay reaches this server.
func (w WeChatPay) Config(publicURL string) wechatpay.Config {
	c := wechatpay.Config{
		MchID: w.MchID, AppID: w.AppID, APIv3Key: string(w.APIv3Key), CertSerial: w.CertSerial, PrivateKeyFile: w.PrivateKeyFile,
		PublicKeyID: w.PublicKeyID, PublicKeyFile: w.PublicKeyFile, BaseURL: w.BaseURL,
	}
	if publicURL != "" {
		c.NotifyURL = strings.TrimSuffix(publicURL, "/") + "/api/v1/payments/" + wechatpay.Name + "/notifications"
	}
	for _, m := range w.Methods {
		c.Methods = append(c.Methods, payment.Method(m))
	}
	return c
}

func (c *Config) validatePayment(check func(bool, string, string, ...any)) {
	p := &c.Payment
	between(check, "payment.reconcile_every", p.ReconcileEvery, time.Minute, 24*time.Hour)
	between(check, "payment.reconcile_back", p.ReconcileBack, time.Hour, 720*time.Hour)
	check(p.Provider != wechatpay.Name || p.WeChatPay.MchID != "", "payment.wechatpay.mch_id", "must name the merchant when payment.provider is wechatpay")
	if err := p.WeChatPay.Config(c.HTTP.PublicURL).Validate(); err != nil {
		check(false, "payment.wechatpay."+errs.FieldOf(err), "%s", errs.MessageOf(err))
	}
}
