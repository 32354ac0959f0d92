package configs

import (
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/commerce/order"
)

// Orders configures orders.
type Orders struct {
	Expiry       Duration `yaml:"expiry"`
	AutoComplete Duration `yaml:"auto_complete"`
	CloseGrace   Duration `yaml:"close_grace"`
}

// Payment configures who moves money.
type Payment struct {
	Provider       string    `yaml:"provider"`
	ReconcileEvery Duration  `yaml:"reconcile_every"`
	ReconcileBack  Duration  `yaml:"reconcile_back"`
	WeChatPay      WeChatPay `yaml:"wechatpay"`
}

func defaultOrders() Orders {
	return Orders{Expiry: Duration(15 * time.Minute), AutoComplete: Duration(240 * time.Hour), CloseGrace: Duration(time.Minute)}
}

// Config is what the service takes.
func (o Orders) Config(publicURL string) order.Config {
	return order.Config{
		Expiry: time.Duration(o.Expiry), AutoComplete: time.Duration(o.AutoComplete), CloseGrace: time.Duration(o.CloseGrace), PublicURL: publicURL,
	}
}

func (c *Config) validateOrders(check func(bool, string, string, ...any)) {
	between(check, "orders.expiry", c.Orders.Expiry, time.Minute, 24*time.Hour)
	between(check, "orders.auto_complete", c.Orders.AutoComplete, time.Hour, 8760*time.Hour)
	between(check, "orders.close_grace", c.Orders.CloseGrace, time.Second, time.Hour)
	check(slices.Contains(paymentProviders, c.Payment.Provider), "payment.provider", "must be one of %v, got %q", paymentProviders, c.Payment.Provider)
	c.validatePayment(check)
}

// paymentProviders are those that payment.provider may name.
var paymentProviders = []string{"sandbox", "wechatpay"}
