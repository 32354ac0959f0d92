// Package wechatpay takes payments by WeChat Pay (API v3) with the official SDK: within WeChat (JSAPI), in a phone's
// browser (H5) and by QR code (Native).
//
// What comes back is believed only when WeChat Pay signed it: answers and notifications alike, with the key of a platform
// certificate (fetched and renewed by itself) or with the platform's public key, whichever the merchant account has.
package wechatpay

import (
	"crypto/rsa"
	"net/url"
	"regexp"
	"slices"

	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Config names a merchant account. The zero Config is none: the provider is off.
type Config struct {
	MchID      string // the merchant's number
	AppID      string // of the mini-program or the official account that payers come from
	APIv3Key   string // 32 characters, from the merchant platform
	CertSerial string // the serial number of the merchant's API certificate, in hex
	// PrivateKeyFile is a PEM file with the key of that certificate (apiclient_key.pem).
	PrivateKeyFile string
	// PublicKeyID ("PUB_KEY_ID_...") and PublicKeyFile are WeChat Pay's public key, for accounts that have one. Without
	// them platform certificates are used.
	PublicKeyID   string
	PublicKeyFile string
	// NotifyURL is where WeChat Pay reports to: https, without parameters.
	NotifyURL string
	// Methods are the ways to pay that the account may use. None: all three.
	Methods []payment.Method
	// BaseURL is another address of the API than WeChat Pay's own, for tests and relays.
	BaseURL string
}

// Enabled reports whether an account is named.
func (c Config) Enabled() bool { return c.MchID != "" }

// methods are those that the provider knows.
var methods = []payment.Method{payment.JSAPI, payment.H5, payment.Native}

var (
	mchIDs  = regexp.MustCompile(`^[0-9]{8,32}$`)
	appIDs  = regexp.MustCompile(`^wx[0-9a-zA-Z]{6,30}$`)
	serials = regexp.MustCompile(`^[0-9A-Fa-f]{16,64}$`)
)

// Validate reports the first key that cannot work, as an Invalid error that names it. It reads no files.
func (c Config) Validate() error {
	const op = "wechatpay.Config"
	if c.MchID == "" && c.AppID == "" && c.APIv3Key == "" && c.CertSerial == "" && c.PrivateKeyFile == "" && c.PublicKeyID == "" && c.PublicKeyFile == "" {
		return nil
	}
	switch {
	case !mchIDs.MatchString(c.MchID):
		return errs.Field(op, "mch_id", "must be the merchant's number, such as 1900000109; got %q", c.MchID)
	case !appIDs.MatchString(c.AppID):
		return errs.Field(op, "app_id", "must be the app id of a mini-program or official account that is bound to the merchant, such as wx8888888888888888; got %q", c.AppID)
	case len(c.APIv3Key) != 32: // the key itself is never shown
		return errs.Field(op, "api_v3_key", "must have 32 characters, as set on the merchant platform under account, API security; got %d", len(c.APIv3Key))
	case !serials.MatchString(c.CertSerial):
		return errs.Field(op, "cert_serial", "must be the serial number of the merchant's API certificate in hex (openssl x509 -in apiclient_cert.pem -noout -serial); got %q", c.CertSerial)
	case c.PrivateKeyFile == "":
		return errs.Field(op, "private_key_file", "must name the PEM file with the key of the merchant's API certificate (apiclient_key.pem)")
	case (c.PublicKeyID == "") != (c.PublicKeyFile == ""):
		return errs.Field(op, "public_key_id", "and public_key_file belong together: set both, or none to use platform certificates")
	case !validNotify(c.NotifyURL):
		return errs.Field(op, "notify_url", "http.public_url must be the https address of this server, because WeChat Pay reports there; got %q", c.NotifyURL)
	case c.BaseURL != "" && !validBase(c.BaseURL):
		return errs.Field(op, "base_url", "must be an address such as https://api.mch.weixin.qq.com; got %q", c.BaseURL)
	}
	for _, m := range c.Methods {
		if !slices.Contains(methods, m) {
			return errs.Field(op, "methods", "must be jsapi, h5 or native; got %q", m)
		}
	}
	return nil
}

func validNotify(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Host != "" && u.RawQuery == "" && (u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
}

// isLoopback lets tests and relays on this machine go without https.
func isLoopback(host string) bool { return host == "127.0.0.1" || host == "localhost" || host == "::1" }

func validBase(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Host != "" && (u.Path == "" || u.Path == "/") && u.RawQuery == "" && (u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
}

// keys are what the files hold.
type keys struct {
	private *rsa.PrivateKey
	public  *rsa.PublicKey // nil: platform certificates
}

func (c Config) readKeys() (k keys, err error) {
	const op = "wechatpay.New"
	if k.private, err = utils.LoadPrivateKeyWithPath(c.PrivateKeyFile); err != nil {
		return k, errs.Field(op, "private_key_file", "%s holds no PEM of an RSA private key (PKCS #8, BEGIN PRIVATE KEY), or cannot be read", c.PrivateKeyFile)
	}
	if c.PublicKeyFile == "" {
		return k, nil
	}
	if k.public, err = utils.LoadPublicKeyWithPath(c.PublicKeyFile); err != nil {
		return k, errs.Field(op, "public_key_file", "%s holds no PEM of an RSA public key (BEGIN PUBLIC KEY), or cannot be read", c.PublicKeyFile)
	}
	return k, nil
}
