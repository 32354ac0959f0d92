package wechatpay

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/certificates"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	// maxAnswer bounds an answer; real ones have a few KiB.
	maxAnswer = 1 << 20
	timeout   = 15 * time.Second
)

// road is the transport to the API: it leads to another address where one is set, and bounds what comes back.
type road struct {
	base *url.URL // nil: as it is
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (r road) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.base != nil {
		req = req.Clone(req.Context())
		req.URL.Scheme, req.URL.Host, req.Host = r.base.Scheme, r.base.Host, r.base.Host
	}
	res, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, maxAnswer), res.Body}
	return res, nil
}

// validator checks the SDK's answers. It stands in the place of the SDK's own, which knows neither that certificates
// expire nor when to fetch others.
type validator struct{ *platform }

// Validate implements auth.Validator.
func (v validator) Validate(ctx context.Context, res *http.Response) error {
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	if err := v.verify(ctx, res.Header, body); err != nil {
		// It may well have been carried out: the caller asks again.
		return errs.As(errs.Unavailable, "wechatpay.Validate", err, "the answer is not believed to be WeChat Pay's: %s", errs.MessageOf(err))
	}
	return nil
}

// GetAcceptSerial implements auth.Validator.
func (v validator) GetAcceptSerial(context.Context) (string, error) {
	if s := v.newest(); s != "" {
		return s, nil
	}
	return "", errors.New("no certificate is known yet")
}

// certificatesOf makes the fetch of platform certificates. Their answer needs no signature: it is encrypted with a key that
// only WeChat Pay and the merchant have.
func certificatesOf(cfg Config, k keys, client *http.Client) (func(context.Context) (map[string]*x509.Certificate, error), error) {
	plain, err := core.NewClient(context.Background(), option.WithMerchantCredential(cfg.MchID, cfg.CertSerial, k.private),
		option.WithHTTPClient(client), option.WithoutValidator())
	if err != nil {
		return nil, err
	}
	service := certificates.CertificatesApiService{Client: plain}
	return func(ctx context.Context) (map[string]*x509.Certificate, error) {
		list, _, err := service.DownloadCertificates(ctx)
		if err != nil {
			return nil, inWords("wechatpay.certificates", err)
		}
		return openAll(cfg.APIv3Key, list.Data)
	}, nil
}

func openAll(apiKey string, list []certificates.Certificate) (map[string]*x509.Certificate, error) {
	const op = "wechatpay.certificates"
	out := map[string]*x509.Certificate{}
	for _, c := range list {
		e := c.EncryptCertificate
		if e == nil || e.Algorithm == nil || e.Nonce == nil || e.Ciphertext == nil || e.AssociatedData == nil {
			return nil, errs.New(errs.Unavailable, op, "the list of certificates cannot be read")
		}
		text, err := open(apiKey, resource{Algorithm: *e.Algorithm, Nonce: *e.Nonce, Ciphertext: *e.Ciphertext, AssociatedData: *e.AssociatedData})
		if err != nil {
			return nil, errs.As(errs.Internal, op, err, "the certificates cannot be decrypted: check payment.wechatpay.api_v3_key")
		}
		cert, err := utils.LoadCertificate(string(text))
		if err != nil {
			return nil, errs.As(errs.Unavailable, op, err, "the list has something that is no certificate")
		}
		out[utils.GetCertificateSerialNumber(*cert)] = cert
	}
	if len(out) == 0 {
		return nil, errs.New(errs.Unavailable, op, "the list of certificates is empty")
	}
	return out, nil
}
