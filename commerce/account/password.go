package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// PasswordCost is what one look at a password costs (argon2id, RFC 9106). The zero value stands for DefaultPasswordCost.
type PasswordCost struct {
	MemoryKiB uint32
	Time      uint32 // passes over the memory
	Threads   uint8
}

// DefaultPasswordCost is OWASP's recommendation: about 30 ms on a small server.
var DefaultPasswordCost = PasswordCost{MemoryKiB: 19 << 10, Time: 2, Threads: 1}

// What a stored hash may ask for at most: one that somebody planted cannot stop the server.
var maxPasswordCost = PasswordCost{MemoryKiB: 1 << 20, Time: 16, Threads: 16}

const (
	saltSize = 16 // bytes
	hashSize = 32 // bytes

	hashersAtOnce = 4  // each holds its memory
	hashersQueued = 64 // who comes beyond is refused: the limits of attempts let few come
)

// passwords hashes and checks passwords, few at a time. Safe for concurrent use.
type passwords struct {
	cost   PasswordCost
	decoy  string // a hash that nothing matches
	turn   chan struct{}
	queued atomic.Int32
}

func newPasswords(cost PasswordCost) *passwords {
	if cost == (PasswordCost{}) {
		cost = DefaultPasswordCost
	}
	return &passwords{cost: cost, decoy: cost.hash(rand.Text()), turn: make(chan struct{}, hashersAtOnce)}
}

// hash returns a password as it is kept: in the PHC string form, with the parameters and a salt of its own. Exhausted:
// too many wait already.
func (p *passwords) hash(ctx context.Context, password string) (hash string, err error) {
	err = p.inTurn(ctx, func() { hash = p.cost.hash(password) })
	return hash, err
}

// matches reports whether the password is the one that was hashed, and whether it should be hashed anew because the cost
// is another one today. Against an empty hash it takes as long as against any and says no.
func (p *passwords) matches(ctx context.Context, hash, password string) (ok, old bool, err error) {
	none := hash == ""
	if none {
		hash = p.decoy
	}
	err = p.inTurn(ctx, func() {
		var cost PasswordCost
		cost, ok = verify(hash, password)
		old = cost != p.cost
	})
	return ok && !none, old, err
}

func (p *passwords) inTurn(ctx context.Context, work func()) error {
	if p.queued.Add(1) > hashersQueued {
		p.queued.Add(-1)
		return errs.New(errs.Exhausted, "account.inTurn", "too many people sign in at this moment; try again in a few seconds")
	}
	defer p.queued.Add(-1)
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
		work()
		return nil
	case <-ctx.Done():
		return errs.As(errs.Unavailable, "account.inTurn", context.Cause(ctx), "the request ended before the password was looked at")
	}
}

func (c PasswordCost) hash(password string) string {
	var salt [saltSize]byte
	_, _ = rand.Read(salt[:]) // never fails
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.MemoryKiB, c.Time, c.Threads,
		base64.RawStdEncoding.EncodeToString(salt[:]), base64.RawStdEncoding.EncodeToString(c.key(password, salt[:])))
}

func (c PasswordCost) key(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, c.Time, c.MemoryKiB, c.Threads, hashSize)
}

// verify checks a password against a PHC string and returns the cost that is written in it.
func verify(hash, password string) (c PasswordCost, ok bool) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return PasswordCost{}, false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.MemoryKiB, &c.Time, &c.Threads); err != nil {
		return PasswordCost{}, false
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(key) != hashSize || !c.bearable() {
		return PasswordCost{}, false
	}
	return c, subtle.ConstantTimeCompare(c.key(password, salt), key) == 1
}

func (c PasswordCost) bearable() bool {
	m := maxPasswordCost
	return c.Time >= 1 && c.Threads >= 1 && c.MemoryKiB <= m.MemoryKiB && c.Time <= m.Time && c.Threads <= m.Threads
}
