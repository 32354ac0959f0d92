package api

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/wechatpaytest"
	"github.com/vitrine-live/vitrine/providers/wechatpay"
)

// TestWeChatPayReports checks how reports are answered, which tells WeChat Pay whether to report again.
func TestWeChatPayReports(t *testing.T) {
	bank := wechatpaytest.New(t)
	private, _ := bank.Files()
	log := slog.New(slog.DiscardHandler)
	p, err := wechatpay.New(wechatpay.Config{
		MchID: wechatpaytest.MchID, AppID: wechatpaytest.AppID, APIv3Key: wechatpaytest.APIv3Key, CertSerial: bank.CertSerial(), PrivateKeyFile: private,
		NotifyURL: "https://shop.example/n", BaseURL: bank.URL,
	}, nil, log, wechatpay.NewMetrics(prometheus.NewRegistry()), nil)
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	h.server.Orders = order.New(order.Config{}, order.Deps{Store: h.db, Providers: []payment.Provider{p}, Log: log})
	good := bank.Report("TRANSACTION.SUCCESS", "transaction", map[string]any{
		"appid": wechatpaytest.AppID, "mchid": wechatpaytest.MchID, "out_trade_no": "elsewhere1", "transaction_id": "42", "trade_state": "SUCCESS",
		"success_time": "2026-11-22T12:00:00+08:00", "amount": map[string]any{"total": 1, "currency": "CNY"},
	})
	for name, c := range map[string]struct {
		m    wechatpaytest.Message
		want int
	}{
		"genuine": {good, 204}, "again": {good, 204}, "forged": {bank.SignWrong(good), 401},
	} {
		var headers []string
		for k := range c.m.Header {
			headers = append(headers, k, c.m.Header.Get(k))
		}
		if w := h.ask("POST", "/api/v1/payments/wechatpay/notifications", "", json.RawMessage(c.m.Body), headers...); w.Code != c.want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}
