package wechatpay

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/wechatpay-apiv3/wechatpay-go/core"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// verdict is what a code of WeChat Pay means here and what is to be done.
type verdict struct {
	kind errs.Kind
	what string
}

// verdicts by code, without the underscores that the documentation writes in some places only.
var verdicts = map[string]verdict{
	"ORDERPAID":            {errs.Conflict, "the order is paid already"},
	"ORDERCLOSED":          {errs.Conflict, "the payment is closed: place a new order"},
	"OUTTRADENOUSED":       {errs.Conflict, "the order's number was used with another amount, description or deadline: place a new order"},
	"INVALIDREQUEST":       {errs.Conflict, "the state of the order or refund does not allow it"},
	"TRADEERROR":           {errs.Conflict, "the bank or WeChat Pay refuses the trade: pay in another way"},
	"RULELIMIT":            {errs.Conflict, "a limit of the merchant account or the payer is reached"},
	"ACCOUNTERROR":         {errs.Conflict, "the payer's account does not allow it: refund by hand on the merchant platform, or pay in another way"},
	"USERACCOUNTABNORMAL":  {errs.Conflict, "the payer's account is closed or frozen: refund by hand on the merchant platform"},
	"NOTENOUGH":            {errs.Unavailable, "the merchant account's balance is too low for the refund: top it up on the merchant platform, it is tried again"},
	"FREQUENCYLIMITED":     {errs.Unavailable, "too many requests at once: try again in a moment"},
	"FREQUENCYLIMITEXCEED": {errs.Unavailable, "too many requests at once: try again in a moment"},
	"RATELIMITEXCEEDED":    {errs.Unavailable, "too many requests at once: try again in a moment"},
	"SYSTEMERROR":          {errs.Unavailable, "WeChat Pay has a failure: try again in a moment"},
	"BANKERROR":            {errs.Unavailable, "the bank has a failure: try again in a moment"},
	"BIZERRNEEDRETRY":      {errs.Unavailable, "WeChat Pay asks to try again in a moment"},
	"ORDERNOTEXIST":        {errs.NotFound, "WeChat Pay knows no such order"},
	"RESOURCENOTEXISTS":    {errs.NotFound, "WeChat Pay knows no such order or refund"},
	"PARAMERROR":           {errs.Invalid, "WeChat Pay does not take the request as it is"},
	"OPENIDMISMATCH":       {errs.Invalid, "the payer belongs to another app: log in again in the mini-program or official account whose id is payment.wechatpay.app_id"},
	"INVALIDTRANSACTIONID": {errs.Invalid, "WeChat Pay knows no such transaction"},
	"SIGNERROR":            {errs.Internal, "WeChat Pay refuses the merchant's signature: check payment.wechatpay.private_key_file, cert_serial and the clock"},
	"NOAUTH":               {errs.Internal, "the merchant account may not do this: ask for the product on the merchant platform, or take the method out of payment.wechatpay.methods"},
	"MCHNOTEXISTS":         {errs.Internal, "WeChat Pay knows no such merchant: check payment.wechatpay.mch_id"},
	"APPIDMCHIDNOTMATCH":   {errs.Internal, "the app is not bound to the merchant: bind it on the merchant platform, or check payment.wechatpay.app_id"},
}

// inWords classifies an error of a request. WeChat Pay's code stands in the message.
func inWords(op string, err error) error {
	var ours *errs.Error
	var api *core.APIError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return errs.Wrap(op, ours)
	case errors.As(err, &api):
		return apiError(op, api)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errs.As(errs.Unavailable, op, err, "WeChat Pay does not answer in time: try again in a moment")
	}
	return errs.As(errs.Unavailable, op, err, "WeChat Pay cannot be reached: try again in a moment")
}

func apiError(op string, e *core.APIError) error {
	v, known := verdicts[strings.ReplaceAll(e.Code, "_", "")]
	if !known {
		v = verdict{kindOf(e.StatusCode), "WeChat Pay refuses it"}
	}
	code := e.Code
	if code == "" {
		code = http.StatusText(e.StatusCode)
	}
	// The SDK's own error text holds the answer's headers and body, which belong into no log.
	return errs.As(v.kind, op, &refusal{code: code, message: e.Message, request: e.Header.Get("Request-Id")}, "%s (%.40s)", v.what, code)
}

func kindOf(status int) errs.Kind {
	switch {
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests:
		return errs.Unavailable
	case status == http.StatusNotFound:
		return errs.NotFound
	case status == http.StatusUnauthorized:
		return errs.Internal
	case status == http.StatusForbidden:
		return errs.Conflict
	}
	return errs.Invalid
}

// refusal is what WeChat Pay said, for the log.
type refusal struct{ code, message, request string }

// Error renders it on one line.
func (r *refusal) Error() string {
	return "WeChat Pay: " + r.code + ": " + r.message + " (request " + r.request + ")"
}

// codeOf is the code that WeChat Pay refused with, "" for other errors.
func codeOf(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.code
	}
	return ""
}
