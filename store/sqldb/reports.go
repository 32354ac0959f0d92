package sqldb

// The statements of reports are put together from these pieces; all of them are constants of this file.
//
// An order's line belongs to one show at most: the one that it names; or, if it names none, the one in which its buyer last
// clicked the product within the window before ordering. What was refunded of an order is divided among its lines by their
// amounts, with what rounding leaves going to the later ones, and the part of the shipping fee left out; of an order so large
// that the product of two amounts does not fit, the first lines are refunded first.
const (
	// soldColumns make of order_lines l of orders o what sales are made of. $1 is the window in milliseconds.
	soldColumns = `l.order_id, l.n, l.product_id, l.quantity, l.amount - l.off AS net, l.show_id, l.pin_id, l.show_time_ms, l.via, l.share_code,
		l.channel, o.store_id, o.currency, o.total, o.refunded, CASE WHEN o.paid_at IS NULL THEN 0 ELSE 1 END AS paid,
		CASE WHEN o.refunded = 0 OR o.refunded >= o.total THEN 0 ELSE (SELECT CAST(COALESCE(SUM(p.amount - p.off), 0) AS BIGINT) FROM order_lines p
			WHERE p.order_id = l.order_id AND p.n < l.n) END AS prior,
		CASE WHEN l.show_id <> '' AND l.pin_id <> '' THEN NULL ELSE (SELECT c.id FROM funnel_events c WHERE c.kind = 'click'
			AND c.viewer_id = o.viewer_id AND c.product_id = l.product_id AND c.at <= o.created_at AND c.at >= o.created_at - $1
			AND c.store_id = o.store_id AND c.show_id <> '' AND (l.show_id = '' OR c.show_id = l.show_id)
			ORDER BY c.at DESC, c.id DESC LIMIT 1) END AS click`

	// salesColumns make of lines, with the click c that led to each, rows of sales.
	salesColumns = `lines.order_id, lines.product_id, lines.quantity AS units, lines.net, lines.currency, lines.paid,
		CASE WHEN lines.show_id <> '' THEN lines.show_id ELSE COALESCE(c.show_id, '') END AS show_id,
		CASE WHEN lines.show_id <> '' AND lines.pin_id <> '' THEN 'direct' WHEN c.id IS NOT NULL THEN 'assisted' ELSE 'other' END AS class,
		(CASE WHEN lines.show_id = '' AND c.id IS NOT NULL THEN c.show_time_ms ELSE lines.show_time_ms END) / 60000 AS minute,
		CASE WHEN lines.show_id = '' AND c.id IS NOT NULL THEN c.source ELSE lines.via END AS source,
		CASE WHEN lines.show_id = '' AND c.id IS NOT NULL THEN c.share_code ELSE lines.share_code END AS share_code,
		CASE WHEN lines.show_id = '' AND c.id IS NOT NULL THEN c.channel ELSE lines.channel END AS channel, ` + refundedColumn

	// refundedColumn is what was refunded of a line: what its order's refund covers up to it, less what it covers of the prior ones.
	refundedColumn = `CASE WHEN lines.refunded = 0 OR lines.total <= 0 THEN 0 WHEN lines.refunded >= lines.total THEN lines.net
		WHEN lines.total < 3000000000 THEN lines.refunded * (lines.prior + lines.net) / lines.total - lines.refunded * lines.prior / lines.total
		WHEN lines.refunded <= lines.prior THEN 0 WHEN lines.refunded < lines.prior + lines.net THEN lines.refunded - lines.prior
		ELSE lines.net END AS refunded`

	salesOfLines = "SELECT " + salesColumns + " FROM lines LEFT JOIN funnel_events c ON c.id = lines.click"

	// externalColumns are salesColumns of an external mall's orders, whose buyers are not known here.
	externalColumns = `lines.order_id, lines.product_id, lines.quantity AS units, lines.net, lines.currency, 1 AS paid, lines.show_id,
		CASE WHEN lines.show_id <> '' AND lines.pin_id <> '' THEN 'direct' ELSE 'other' END AS class, lines.show_time_ms / 60000 AS minute,
		lines.via AS source, lines.share_code, lines.channel, ` + refundedColumn
	externalLines = `SELECT l.order_id, l.product_id, l.quantity, l.amount AS net, l.show_id, l.pin_id, l.show_time_ms, l.via, l.share_code,
		l.channel, o.store_id, o.currency, o.total, o.refunded, CASE WHEN o.refunded = 0 OR o.refunded >= o.total THEN 0
			ELSE (SELECT CAST(COALESCE(SUM(p.amount), 0) AS BIGINT) FROM external_order_lines p WHERE p.order_id = l.order_id AND p.n < l.n) END AS prior
		FROM external_order_lines l JOIN external_orders o ON o.id = l.order_id`
)

const (
	// withShowSales is the sales of show $2 of store $3.
	withShowSales = "WITH lines AS (SELECT " + soldColumns + ` FROM order_lines l JOIN orders o ON o.id = l.order_id
			WHERE l.show_id = $2 AND o.store_id = $3
			UNION ALL SELECT ` + soldColumns + ` FROM (SELECT DISTINCT viewer_id FROM funnel_events WHERE show_id = $2 AND kind = 'click') v
			JOIN orders o ON o.viewer_id = v.viewer_id AND o.store_id = $3 JOIN order_lines l ON l.order_id = o.id WHERE l.show_id = ''),
		mall AS (` + externalLines + ` WHERE l.show_id = $2 AND o.store_id = $3),
		sales AS (SELECT * FROM (` + salesOfLines + `) s WHERE s.show_id = $2 UNION ALL SELECT ` + externalColumns + ` FROM mall lines) `

	// withStoreSales is the sales of store $2 that were ordered from $3 until before $4.
	withStoreSales = "WITH lines AS (SELECT " + soldColumns + ` FROM orders o JOIN order_lines l ON l.order_id = o.id
			WHERE o.store_id = $2 AND o.created_at >= $3 AND o.created_at < $4),
		mall AS (` + externalLines + ` WHERE o.store_id = $2 AND o.paid_at >= $3 AND o.paid_at < $4),
		named AS (` + salesOfLines + " UNION ALL SELECT " + externalColumns + ` FROM mall lines),
		sales AS (SELECT named.*, COALESCE(s.id, '') AS show_key FROM named LEFT JOIN shows s ON s.id = named.show_id AND s.store_id = $2) `

	// soldLines end both: the lines of an order follow each other, as the adding up asks for (reports_add.go).
	soldLines = "SELECT order_id, currency, paid, class, units, net, refunded, "

	// looksOfShow is what pages told of show $1: the events of a kind by one viewer follow each other. They stand so in the
	// index, and all that is asked for stands in it.
	looksOfShow = `SELECT kind, viewer_id, product_id, show_time_ms / 60000, source, channel, share_code FROM funnel_events
		WHERE show_id = $1 ORDER BY kind, viewer_id`
	// looksOfStore is what pages told of store $1 from $2 until before $3, in no order.
	looksOfStore = "SELECT kind, viewer_id, show_id FROM funnel_events WHERE store_id = $1 AND at >= $2 AND at < $3"
)
