package replay

import "hash/crc32"

// combine returns the CRC-32C of a and b together, b being n bytes long: a's remainder moves on by as many zero bytes,
// which is a multiplication by x^(8n) modulo the polynomial, found by squaring.
func combine(a, b uint32, n int64) uint32 {
	const one = 1 << 31 // the polynomial 1; bits are reflected
	power := uint32(one >> 8)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			a = multiply(a, power)
		}
		power = multiply(power, power)
	}
	return a ^ b
}

// multiply multiplies polynomials over GF(2) modulo that of CRC-32C, all with reflected bits.
func multiply(a, b uint32) uint32 {
	var product uint32
	for bit := uint32(1 << 31); bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry != 0 {
			b ^= crc32.Castagnoli
		}
	}
	return product
}
