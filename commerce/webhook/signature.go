package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The headers of a signed message.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp" // seconds since 1970
	HeaderSignature = "webhook-signature" // one or more of "v1,<base64>", with spaces between
)

// Tolerance is how far the clocks of the two sides may be apart, and so how long a message that somebody recorded can be
// played back.
const Tolerance = 5 * time.Minute

const (
	secretPrefix  = "whsec_"
	secretBytes   = 32
	version       = "v1,"
	maxID         = 128
	maxSignatures = 8 // in one header; beyond it nobody rotates secrets
)

// NewSecret makes a secret: "whsec_" and 256 random bits in base64.
func NewSecret() string {
	var b [secretBytes]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return secretPrefix + base64.StdEncoding.EncodeToString(b[:])
}

// key is what a secret stands for.
func key(secret string) ([]byte, bool) {
	raw, ok := strings.CutPrefix(secret, secretPrefix)
	b, err := base64.StdEncoding.DecodeString(raw)
	return b, ok && err == nil && len(b) > 0
}

// Sign returns the headers of a message that is signed with each of the secrets.
func Sign(secrets []string, id string, at time.Time, body []byte) map[string]string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	var signatures []string
	for _, s := range secrets {
		if k, ok := key(s); ok {
			signatures = append(signatures, version+base64.StdEncoding.EncodeToString(sum(k, id, stamp, body)))
		}
	}
	return map[string]string{HeaderID: id, HeaderTimestamp: stamp, HeaderSignature: strings.Join(signatures, " ")}
}

// Verify checks that a message was signed with one of the secrets, not long before or after now, and returns its id.
// header gets the value of a header by its name. Unauthorized says what is wrong with it.
//
// Whoever takes messages must also remember the ids of those that came lately: the same one may come again.
func Verify(secrets []string, header func(string) string, body []byte, now time.Time) (id string, err error) {
	const op = "webhook.Verify"
	id, stamp, signature := header(HeaderID), header(HeaderTimestamp), header(HeaderSignature)
	if id == "" || stamp == "" || signature == "" {
		return "", errs.New(errs.Unauthorized, op, "send the headers %s, %s and %s", HeaderID, HeaderTimestamp, HeaderSignature)
	}
	if len(id) > maxID || strings.Contains(id, ".") {
		return "", errs.New(errs.Unauthorized, op, "%s must be at most %d characters without a dot", HeaderID, maxID)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != stamp {
		return "", errs.New(errs.Unauthorized, op, "%s must be whole seconds since 1970", HeaderTimestamp)
	}
	if at := time.Unix(seconds, 0); at.Before(now.Add(-Tolerance)) || at.After(now.Add(Tolerance)) {
		return "", errs.New(errs.Unauthorized, op, "%s is more than %v away from this server's clock, which shows %d: sign each attempt anew and check the clock", HeaderTimestamp, Tolerance, now.Unix())
	}
	if !anySigned(secrets, signature, id, stamp, body) {
		return "", errs.New(errs.Unauthorized, op, "%s does not fit: it is \"v1,\" and the base64 of the HMAC-SHA256, under the secret's bytes, of id, timestamp and the body's exact bytes with dots between", HeaderSignature)
	}
	return id, nil
}

// anySigned compares each signature with that of each secret, in constant time.
func anySigned(secrets []string, header, id, stamp string, body []byte) bool {
	fits := false
	for i, s := range strings.Fields(header) {
		raw, ok := strings.CutPrefix(s, version)
		got, err := base64.StdEncoding.DecodeString(raw)
		if !ok || err != nil || i >= maxSignatures {
			continue
		}
		for _, secret := range secrets {
			if k, ok := key(secret); ok && hmac.Equal(got, sum(k, id, stamp, body)) {
				fits = true
			}
		}
	}
	return fits
}

func sum(key []byte, id, stamp string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id))
	h.Write([]byte{'.'})
	h.Write([]byte(stamp))
	h.Write([]byte{'.'})
	h.Write(body)
	return h.Sum(nil)
}
