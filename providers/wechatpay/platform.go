package wechatpay

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/consts"
	"golang.org/x/sync/singleflight"

	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	// maxSkew is how far a signed instant may be from this server's clock: what somebody recorded cannot be played back later.
	maxSkew = 5 * time.Minute
	// renewAfter is how old the list of certificates may get. WeChat Pay puts a new certificate into the list days before it
	// signs with it.
	renewAfter = 12 * time.Hour
	// renewPause is the shortest time between two fetches: names of certificates that nobody knows come from anybody.
	renewPause     = 30 * time.Second
	headerSigType  = "Wechatpay-Signature-Type"
	sigTypeRSA     = "WECHATPAY2-SHA256-RSA2048"
	maxHeaderValue = 1024
)

// platform knows the keys of WeChat Pay. Safe for concurrent use.
type platform struct {
	publicID string
	public   *rsa.PublicKey // nil: none
	fetch    func(context.Context) (map[string]*x509.Certificate, error)
	now      func() time.Time
	once     singleflight.Group

	mu    sync.Mutex
	certs map[string]*x509.Certificate // by serial number
	tried time.Time
	got   time.Time
}

// signed is a message as WeChat Pay signs it.
type signed struct {
	serial, signature, nonce, stamp string
	body                            []byte
}

func readSigned(header http.Header, body []byte) (signed, error) {
	const op = "wechatpay.verify"
	s := signed{
		serial: header.Get(consts.WechatPaySerial), signature: header.Get(consts.WechatPaySignature), nonce: header.Get(consts.WechatPayNonce),
		stamp: header.Get(consts.WechatPayTimestamp), body: body,
	}
	for _, v := range []string{s.serial, s.signature, s.nonce, s.stamp} {
		if v == "" || len(v) > maxHeaderValue {
			return s, errs.New(errs.Unauthorized, op, "it does not carry WeChat Pay's signature")
		}
	}
	if t := header.Get(headerSigType); t != "" && t != sigTypeRSA {
		return s, errs.New(errs.Unauthorized, op, "it is signed by a method that is not known here")
	}
	return s, nil
}

// verify checks that WeChat Pay signed a message just now. Unauthorized: it did not; Unavailable: its certificates cannot be
// fetched.
func (p *platform) verify(ctx context.Context, header http.Header, body []byte) error {
	const op = "wechatpay.verify"
	s, err := readSigned(header, body)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(s.stamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != s.stamp {
		return errs.New(errs.Unauthorized, op, "its time cannot be read")
	}
	if skew := p.now().Sub(time.Unix(seconds, 0)); skew > maxSkew || skew < -maxSkew {
		return errs.New(errs.Unauthorized, op, "it was signed %v away from this server's clock: it is played back, or the clock is wrong (check NTP)", skew.Round(time.Second))
	}
	key, err := p.key(ctx, s.serial)
	if err != nil {
		return err
	}
	message := s.stamp + "\n" + s.nonce + "\n" + string(body) + "\n"
	if err := verifiers.NewSHA256WithRSAPubkeyVerifier(s.serial, *key).Verify(ctx, s.serial, message, s.signature); err != nil {
		return errs.As(errs.Unauthorized, op, err, "its signature is not WeChat Pay's")
	}
	return nil
}

// key is the key of a serial number, which is that of the public key or of a certificate that is valid now.
func (p *platform) key(ctx context.Context, serial string) (*rsa.PublicKey, error) {
	const op = "wechatpay.key"
	if p.public != nil && serial == p.publicID {
		return p.public, nil
	}
	cert := p.known(serial)
	if cert == nil || p.old() {
		if err := p.renew(ctx); err != nil && cert == nil {
			return nil, err
		}
		cert = p.known(serial)
	}
	if cert == nil {
		return nil, errs.New(errs.Unauthorized, op, "it is signed with a key %.40q that WeChat Pay does not list", serial)
	}
	if at := p.now(); at.Before(cert.NotBefore) || at.After(cert.NotAfter) {
		return nil, errs.New(errs.Unauthorized, op, "it is signed with a certificate that is valid from %s to %s only", cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly))
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errs.New(errs.Unauthorized, op, "it is signed with a certificate whose key is not RSA")
	}
	return key, nil
}

func (p *platform) known(serial string) *x509.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.certs[strings.ToUpper(serial)]
}

func (p *platform) old() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now().Sub(p.got) > renewAfter
}

// renew fetches the certificates, but not again and again.
func (p *platform) renew(ctx context.Context) error {
	_, err, _ := p.once.Do("", func() (any, error) {
		if !p.mayTry() {
			return nil, nil
		}
		certs, err := p.fetch(ctx)
		if err != nil {
			return nil, errs.As(errs.Unavailable, "wechatpay.renew", err, "the certificates of WeChat Pay cannot be fetched: %s", errs.MessageOf(err))
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.certs, p.got = certs, p.now()
		return nil, nil
	})
	return err
}

func (p *platform) mayTry() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.now(); at.Sub(p.tried) >= renewPause || at.Before(p.tried) {
		p.tried = at
		return true
	}
	return false
}

// newest is the serial number that WeChat Pay is asked to sign its answers with; "" when none is known yet.
func (p *platform) newest() string {
	if p.public != nil {
		return p.publicID
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	newest := ""
	for serial, c := range p.certs {
		if newest == "" || c.NotBefore.After(p.certs[newest].NotBefore) {
			newest = serial
		}
	}
	return newest
}
