package commerce

import (
	"strconv"
	"strings"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// MaxAmount is the largest amount of money of one thing, in minor units: no price comes near it, and a sum of a million
// of them still fits in 64 bits.
const MaxAmount int64 = 1_000_000_000_000

// Money is an amount in the minor units of a currency: 19900 CNY is 199.00 yuan, 500 JPY is 500 yen.
type Money struct {
	Amount   int64  // minor units, 0 to MaxAmount
	Currency string // ISO 4217 alphabetic code, such as "CNY"
}

// Validate returns an Invalid error that names the field "price" or "currency".
func (m Money) Validate() error {
	const op = "commerce.Money"
	if !validCurrency(m.Currency) {
		return errs.Field(op, "currency", "the currency must be an ISO 4217 code of three upper-case letters, such as CNY")
	}
	if m.Amount < 0 || m.Amount > MaxAmount {
		return errs.Field(op, "price", "the price must be 0 to %d minor units of its currency", MaxAmount)
	}
	return nil
}

// Decimal renders the amount in major units with all digits of the currency's exponent: "199.00", "500", "1.250".
func (m Money) Decimal() string {
	digits := strconv.FormatInt(m.Amount, 10)
	sign := ""
	if m.Amount < 0 {
		sign, digits = "-", digits[1:]
	}
	exp := Exponent(m.Currency)
	if exp == 0 {
		return sign + digits
	}
	if pad := exp + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	cut := len(digits) - exp
	return sign + digits[:cut] + "." + digits[cut:]
}

// ParseDecimal reads an amount in major units, such as "199", "199.00" or "1,299.5", as minor units of a currency. Nothing
// is rounded. Invalid names "price".
func ParseDecimal(text, currency string) (int64, error) {
	const op = "commerce.ParseDecimal"
	whole, fraction, _ := strings.Cut(strings.ReplaceAll(text, ",", ""), ".")
	exp := Exponent(currency)
	if trimmed := strings.TrimRight(fraction, "0"); len(trimmed) > exp {
		return 0, errs.Field(op, "price", "%q is no amount of %s, which has %d decimals", text, currency, exp)
	} else if len(fraction) > exp {
		fraction = fraction[:exp]
	}
	digits := whole + fraction + strings.Repeat("0", exp-len(fraction))
	minor, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || whole == "" || minor > uint64(MaxAmount) {
		return 0, errs.Field(op, "price", "%q is no amount of money such as 199.00, at most %s", text, Money{MaxAmount, currency}.Decimal())
	}
	return int64(minor), nil
}

// String renders the amount for logs and plain texts: "199.00 CNY". Pages format by locale instead.
func (m Money) String() string { return m.Decimal() + " " + m.Currency }

// Exponent returns how many decimal digits the minor unit of a currency stands for (ISO 4217, list one): 2 for CNY, 0
// for JPY, 3 for KWD; 2 for codes it does not know.
func Exponent(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
		"XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

func validCurrency(code string) bool {
	return len(code) == 3 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
