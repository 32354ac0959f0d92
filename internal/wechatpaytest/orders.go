package wechatpaytest

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

type amount struct {
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
}

// terms are what a merchant may not change when an order is sent again.
type terms struct {
	AppID       string    `json:"appid"`
	MchID       string    `json:"mchid"`
	Description string    `json:"description"`
	OutTradeNo  string    `json:"out_trade_no"`
	TimeExpire  time.Time `json:"time_expire"`
	NotifyURL   string    `json:"notify_url"`
	Amount      amount    `json:"amount"`
}

type order struct {
	terms
	kind          string
	prepays       map[string]bool
	state         string
	transactionID string
	payer         string
	paidAt        time.Time
	refunded      int64
}

type prepayRequest struct {
	terms
	Payer struct {
		OpenID string `json:"openid"`
	} `json:"payer"`
	SceneInfo struct {
		ClientIP string `json:"payer_client_ip"`
		H5       struct {
			Type string `json:"type"`
		} `json:"h5_info"`
	} `json:"scene_info"`
}

var tradeNos = regexp.MustCompile(`^[0-9A-Za-z_*|-]{6,32}$`)

// fault is what is wrong with a request, "" for nothing.
func (r *prepayRequest) wrong(kind string, now time.Time) string {
	notify, err := url.Parse(r.NotifyURL)
	switch {
	case !tradeNos.MatchString(r.OutTradeNo):
		return "out_trade_no"
	case r.Description == "" || len([]rune(r.Description)) > 127:
		return "description"
	case err != nil || notify.Host == "" || notify.RawQuery != "":
		return "notify_url"
	case r.Amount.Total < 1 || r.Amount.Currency != "CNY":
		return "amount"
	case !r.TimeExpire.IsZero() && r.TimeExpire.Before(now.Add(time.Minute).Truncate(time.Second)):
		return "time_expire"
	case kind == "jsapi" && r.Payer.OpenID == "":
		return "payer.openid"
	case kind == "h5" && (net.ParseIP(r.SceneInfo.ClientIP) == nil || r.SceneInfo.H5.Type == ""):
		return "scene_info"
	}
	return ""
}

func (s *Server) prepay(kind string, body []byte) (int, any) {
	var r prepayRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return refused(http.StatusBadRequest, "PARAM_ERROR", err.Error())
	}
	if r.MchID != MchID || r.AppID != AppID {
		return refused(http.StatusBadRequest, "APPID_MCHID_NOT_MATCH", "the app is not bound to the merchant")
	}
	if field := r.wrong(kind, s.Now()); field != "" {
		return refused(http.StatusBadRequest, "PARAM_ERROR", field)
	}
	o := s.orders[r.OutTradeNo]
	switch {
	case o == nil:
		o = &order{terms: r.terms, kind: kind, prepays: map[string]bool{}, state: "NOTPAY"}
		s.orders[r.OutTradeNo] = o
	case o.state == "SUCCESS" || o.state == "REFUND":
		return refused(http.StatusBadRequest, "ORDERPAID", "the order is paid")
	case o.state == "CLOSED":
		return refused(http.StatusBadRequest, "ORDER_CLOSED", "the order is closed")
	case !o.TimeExpire.Equal(r.TimeExpire) || o.Amount != r.Amount || o.Description != r.Description || o.kind != kind:
		return refused(http.StatusForbidden, "OUT_TRADE_NO_USED", "the number is used")
	}
	prepay := "wx" + random(34)
	o.prepays[prepay] = true
	switch kind {
	case "h5":
		return http.StatusOK, map[string]string{"h5_url": "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=" + prepay + "&package=" + random(8)}
	case "native":
		return http.StatusOK, map[string]string{"code_url": "weixin://wxpay/bizpayurl?pr=" + prepay}
	}
	return http.StatusOK, map[string]string{"prepay_id": prepay}
}

// transaction is an order as answers and reports show it.
func (o *order) transaction() map[string]any {
	t := map[string]any{
		"appid": o.AppID, "mchid": o.MchID, "out_trade_no": o.OutTradeNo, "trade_state": o.state, "trade_state_desc": "状态",
		"amount": map[string]any{"total": o.Amount.Total, "payer_total": o.Amount.Total, "currency": "CNY", "payer_currency": "CNY"},
	}
	if o.transactionID != "" {
		t["transaction_id"], t["trade_type"], t["bank_type"] = o.transactionID, "JSAPI", "CMC_DEBIT"
		t["success_time"], t["payer"] = o.paidAt.Format(time.RFC3339), map[string]string{"openid": o.payer}
	}
	return t
}

func (s *Server) queryOrder(r *http.Request, _ []byte) (int, any) {
	o := s.orders[r.PathValue("no")]
	switch {
	case r.URL.Query().Get("mchid") != MchID:
		return refused(http.StatusBadRequest, "PARAM_ERROR", "mchid")
	case o == nil:
		return refused(http.StatusNotFound, "ORDER_NOT_EXIST", "there is no such order")
	}
	return http.StatusOK, o.transaction()
}

func (s *Server) closeOrder(r *http.Request, body []byte) (int, any) {
	var in struct {
		MchID string `json:"mchid"`
	}
	o := s.orders[r.PathValue("no")]
	switch {
	case json.Unmarshal(body, &in) != nil || in.MchID != MchID:
		return refused(http.StatusBadRequest, "PARAM_ERROR", "mchid")
	case o == nil:
		return refused(http.StatusNotFound, "ORDER_NOT_EXIST", "there is no such order")
	case o.state == "CLOSED":
		return refused(http.StatusBadRequest, "ORDER_CLOSED", "the order is closed")
	case o.state != "NOTPAY":
		return refused(http.StatusBadRequest, "ORDERPAID", "the order is paid")
	}
	o.state = "CLOSED"
	return http.StatusNoContent, nil
}

// Pay lets a buyer pay an order. It fails where WeChat's app would: nobody began a payment, it is closed, paid or past its
// deadline.
func (s *Server) Pay(no, openID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[no]
	switch {
	case o == nil:
		return errors.New("there is no such order")
	case o.state != "NOTPAY":
		return errors.New("the order is " + o.state)
	case !o.TimeExpire.IsZero() && s.Now().After(o.TimeExpire):
		return errors.New("the order's time is over")
	}
	o.state, o.payer, o.paidAt = "SUCCESS", openID, s.Now()
	o.transactionID = "4200001" + random(21)
	s.balance += o.Amount.Total
	return nil
}
