package sandbox

// words are the page's texts in one language.
type words struct {
	Lang                                                       string
	Title, Notice, Order, PayBefore, Minutes                   string
	Pay, Fail, Late, Twice                                     string
	PayHint, FailHint, LateHint, TwiceHint                     string
	IsPaid, IsPaidTwice, IsFailed, IsClosed, IsLate, IsExpired string
	Back, Unknown, Broken                                      string
}

var english = words{
	Lang: "en", Title: "Sandbox payment", Notice: "A trial: no money moves here. You play the bank.", Order: "Order", PayBefore: "Time left", Minutes: "min",
	Pay: "Pay", Fail: "Fail", Late: "Pay late", Twice: "Pay twice",
	PayHint: "The payment arrives at once.", FailHint: "The bank refuses. You can try again.",
	LateHint: "The money arrives after the order has expired: it is taken if there is stock, else refunded.", TwiceHint: "Two payments arrive. The second is refunded.",
	IsPaid: "Paid. Thank you.", IsPaidTwice: "Paid twice. The second payment is refunded.", IsFailed: "The bank refused. Try again, or another way.",
	IsClosed: "This payment is closed: the order was cancelled or has expired.", IsLate: "The money is on its way. It will arrive after the order has expired.",
	IsExpired: "The time to pay is over.", Back: "Back to the shop", Unknown: "There is no such payment. Check the address, or start again from your order.",
	Broken: "The sandbox cannot be reached just now. Try again in a moment.",
}

var chinese = words{
	Lang: "zh-CN", Title: "沙箱支付", Notice: "这是试用环境，不会产生真实扣款。由你来扮演银行。", Order: "订单", PayBefore: "剩余支付时间", Minutes: "分钟",
	Pay: "支付", Fail: "支付失败", Late: "延迟到账", Twice: "重复支付",
	PayHint: "款项立即到账。", FailHint: "银行拒绝扣款，可以再试一次。",
	LateHint: "款项在订单过期之后才到账：有货则订单生效，无货则自动退款。", TwiceHint: "到账两笔，第二笔自动退款。",
	IsPaid: "支付成功，谢谢。", IsPaidTwice: "支付了两次，第二笔会自动退回。", IsFailed: "银行拒绝了这笔支付。请重试，或换一种方式。",
	IsClosed: "支付已关闭：订单已取消或已过期。", IsLate: "款项在路上，将在订单过期之后到账。", IsExpired: "已超过支付时间。",
	Back: "返回店铺", Unknown: "没有这笔支付。请检查地址，或从订单页重新进入。", Broken: "沙箱暂时无法访问，请稍后再试。",
}
