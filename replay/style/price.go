package style

import (
	"strings"
)

// symbols are the narrow signs of currencies, as the pages show them (CLDR).
var symbols = map[string]string{
	"CNY": "¥", "JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩", "INR": "₹", "VND": "₫", "THB": "฿", "PHP": "₱",
	"RUB": "₽", "TRY": "₺", "UAH": "₴", "ILS": "₪", "NGN": "₦", "KZT": "₸", "BRL": "R$", "HKD": "$", "TWD": "$", "SGD": "$",
	"AUD": "$", "NZD": "$", "CAD": "$", "MXN": "$", "ARS": "$", "CLP": "$", "COP": "$", "MYR": "RM", "IDR": "Rp", "PLN": "zł",
	"CZK": "Kč", "SEK": "kr", "NOK": "kr", "DKK": "kr", "ZAR": "R", "GEL": "₾", "PYG": "₲", "CRC": "₡", "LAK": "₭", "MNT": "₮",
}

// Price writes an amount as the pages do: the currency's sign in front, thousands parted by commas, whole amounts without
// decimals. decimal is the amount in major units, such as "1299.00". A currency without a sign of its own comes as its code.
func Price(decimal, currency string) string {
	whole, fraction, _ := strings.Cut(decimal, ".")
	if strings.Trim(fraction, "0") != "" {
		fraction = "." + fraction
	} else {
		fraction = ""
	}
	sign := ""
	if rest, minus := strings.CutPrefix(whole, "-"); minus {
		sign, whole = "-", rest
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if symbol, ok := symbols[currency]; ok {
		return sign + symbol + whole + fraction
	}
	return strings.TrimSpace(currency + " " + sign + whole + fraction)
}
