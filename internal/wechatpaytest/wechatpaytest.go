// Package wechatpaytest stands in for WeChat Pay's server (API v3) in tests. It is written from the documentation and
// shares nothing with the client that it tests: it makes keys and certificates, checks the signature of every request,
// signs its answers, keeps orders and refunds by the documented rules, and reports them signed and encrypted.
//
// Its clock, its keys and its faults are the test's to move.
package wechatpaytest

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The account that every Server has.
const (
	MchID    = "1900000109"
	AppID    = "wx8888888888888888"
	APIv3Key = "0123456789abcdef0123456789ABCDEF"
)

// Server is the stand-in. Its methods are safe for concurrent use.
type Server struct {
	URL string
	// Now is its clock; set it before the first request.
	Now func() time.Time

	t        testing.TB
	http     *httptest.Server
	merchant *identity
	public   *rsa.PrivateKey // of the public-key mode

	mu       sync.Mutex
	platform []*identity // the newest last; it signs
	orders   map[string]*order
	refunds  map[string]*refund
	nonces   map[string]bool
	faults   []fault
	tamper   func(header http.Header, body []byte) []byte
	balance  int64
	requests map[string]int
	serial   int
}

type fault struct {
	path, code string
	status     int
}

// New starts a Server that ends with the test.
func New(t testing.TB) *Server {
	s := &Server{
		t: t, Now: time.Now, merchant: merchantIdentity(), public: publicKey(), orders: map[string]*order{}, refunds: map[string]*refund{},
		nonces: map[string]bool{}, balance: 1 << 40, requests: map[string]int{},
	}
	s.platform = []*identity{newIdentity(platformKey(0), time.Now().Add(-time.Hour), time.Now().Add(5*365*24*time.Hour))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v3/certificates", s.checked(s.certificates))
	for _, kind := range []string{"jsapi", "h5", "native"} {
		mux.HandleFunc("POST /v3/pay/transactions/"+kind, s.checked(func(_ *http.Request, body []byte) (int, any) { return s.prepay(kind, body) }))
	}
	mux.HandleFunc("GET /v3/pay/transactions/out-trade-no/{no}", s.checked(s.queryOrder))
	mux.HandleFunc("POST /v3/pay/transactions/out-trade-no/{no}/close", s.checked(s.closeOrder))
	mux.HandleFunc("POST /v3/refund/domestic/refunds", s.checked(s.refund))
	mux.HandleFunc("GET /v3/refund/domestic/refunds/{no}", s.checked(s.queryRefund))
	s.http = httptest.NewServer(mux)
	s.URL = s.http.URL
	t.Cleanup(s.http.Close)
	return s
}

// Refuse lets the next request whose path begins so be answered with a status and a code, instead of being carried out.
func (s *Server) Refuse(path string, status int, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fault{path, code, status})
}

// Tamper changes answers after they were signed; nil: no more.
func (s *Server) Tamper(f func(header http.Header, body []byte) []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tamper = f
}

// SetBalance is what refunds can be paid from.
func (s *Server) SetBalance(fen int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.balance = fen
}

// Requests is how often a path was asked.
func (s *Server) Requests(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[path]
}

// problem is how errors are answered.
type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func refused(status int, code, message string) (int, any) { return status, problem{code, message} }

// checked answers a request that the merchant signed.
func (s *Server) checked(h func(r *http.Request, body []byte) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests[r.URL.Path]++
		var status int
		var answer any
		if err := s.authentic(r, body); err != nil {
			status, answer = refused(http.StatusUnauthorized, "SIGN_ERROR", err.Error())
		} else if f, ok := s.fault(r.URL.Path); ok {
			status, answer = refused(f.status, f.code, "as the test wants it")
		} else {
			status, answer = h(r, body)
		}
		s.answer(w, r.Header.Get("Wechatpay-Serial"), status, answer)
	}
}

func (s *Server) fault(path string) (fault, bool) {
	for i, f := range s.faults {
		if strings.HasPrefix(path, f.path) {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			return f, true
		}
	}
	return fault{}, false
}

// authorization is the header's form: method and key="value" pairs.
var authorization = regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048 mchid="([^"]*)",nonce_str="([^"]*)",timestamp="([^"]*)",serial_no="([^"]*)",signature="([^"]*)"$`)

// authentic checks a request's signature: of method, address, time, nonce and body, each with a line end.
func (s *Server) authentic(r *http.Request, body []byte) error {
	m := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return fmt.Errorf("the header Authorization has another form")
	}
	mch, nonce, stamp, serial, signature := m[1], m[2], m[3], m[4], m[5]
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if skew := s.Now().Sub(time.Unix(seconds, 0)); err != nil || skew > 5*time.Minute || skew < -5*time.Minute {
		return fmt.Errorf("the timestamp is not of now")
	}
	if mch != MchID || serial != s.merchant.serial || len(nonce) < 16 || s.nonces[nonce] {
		return fmt.Errorf("merchant, serial number or nonce is not right")
	}
	s.nonces[nonce] = true
	message := r.Method + "\n" + r.URL.RequestURI() + "\n" + stamp + "\n" + nonce + "\n" + string(body) + "\n"
	if !verified(&s.merchant.key.PublicKey, message, signature) {
		return fmt.Errorf("the signature does not fit")
	}
	return nil
}

func verified(key *rsa.PublicKey, message, signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	sum := sha256.Sum256([]byte(message))
	return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) == nil
}

// answer signs an answer with the key that the merchant asked for.
func (s *Server) answer(w http.ResponseWriter, wanted string, status int, answer any) {
	var body []byte
	if answer != nil {
		var err error
		if body, err = json.Marshal(answer); err != nil {
			s.t.Error(err)
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Request-Id", "08"+random(20))
	serial, key := s.signer(wanted)
	s.sign(h, serial, key, body)
	if s.tamper != nil {
		body = s.tamper(h, body)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (s *Server) signer(wanted string) (serial string, key *rsa.PrivateKey) {
	if wanted == PublicKeyID {
		return PublicKeyID, s.public
	}
	newest := s.platform[len(s.platform)-1]
	return newest.serial, newest.key
}

// sign adds the headers of a signed message.
func (s *Server) sign(h http.Header, serial string, key *rsa.PrivateKey, body []byte) {
	stamp, nonce := strconv.FormatInt(s.Now().Unix(), 10), random(16)
	sum := sha256.Sum256([]byte(stamp + "\n" + nonce + "\n" + string(body) + "\n"))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		s.t.Error(err)
	}
	h.Set("Wechatpay-Timestamp", stamp)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", serial)
	h.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
	h.Set("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
}

// certificates lists the platform's, encrypted with the merchant's API key.
func (s *Server) certificates(*http.Request, []byte) (int, any) {
	var list []any
	for _, p := range s.platform {
		list = append(list, map[string]any{
			"serial_no": p.serial, "effective_time": p.cert.NotBefore.Format(time.RFC3339), "expire_time": p.cert.NotAfter.Format(time.RFC3339),
			"encrypt_certificate": s.seal("certificate", p.pem()),
		})
	}
	return http.StatusOK, map[string]any{"data": list}
}

// VerifyRequestPayment checks the parameters of wx.requestPayment as WeChat's app does.
func (s *Server) VerifyRequestPayment(params map[string]string) error {
	message := params["appId"] + "\n" + params["timeStamp"] + "\n" + params["nonceStr"] + "\n" + params["package"] + "\n"
	if params["signType"] != "RSA" || !verified(&s.merchant.key.PublicKey, message, params["paySign"]) {
		return fmt.Errorf("paySign does not fit: %v", params)
	}
	prepay, ok := strings.CutPrefix(params["package"], "prepay_id=")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.orders {
		if ok && o.prepays[prepay] {
			return nil
		}
	}
	return fmt.Errorf("there is no %q", params["package"])
}

// Message is a report to the merchant.
type Message struct {
	URL    string
	Header http.Header
	Body   []byte
}

// Post sends a report and returns the status that it is answered with.
func (s *Server) Post(m Message) int {
	s.t.Helper()
	if _, err := url.Parse(m.URL); err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header = m.Header.Clone()
	res, err := s.http.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

func random(n int) string {
	b := make([]byte, (n+1)/2)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)[:n]
}
